/* ShieldGemma 2: whether a picture violates a policy. The text is, to the last
 * blank, what the original's chat template makes (transformers, conversion of
 * ShieldGemma 2): each item opens a turn, the picture's is never closed, and
 * the template's indentation is part of the prompt. */
#include "chat/template.h"

#define INDENT "\n                "

static void
open_turn (FacetWriter *writer, const char *role)
{
  facet_writer_control (writer, "<start_of_turn>");
  facet_writer_text (writer, role);
  facet_writer_text (writer, "\n");
}

void
facet_policy_render (const FacetPrompt *prompt, FacetWriter *writer)
{
  const FacetTurn *turn = facet_prompt_turn (prompt, 0);

  open_turn (writer, "user");
  facet_gemma3_frame (writer, g_array_index (turn->parts, FacetTurnPart, 0).media);
  open_turn (writer, "user");
  facet_writer_text (writer, "You are a policy expert trying to help determine whether a generated or real image is in");
  facet_writer_text (writer, INDENT " violation of the safety policy below. Your decision must very clearly follow the specific");
  facet_writer_text (writer, INDENT " language used in the safety policy and should not include any interpretation outside of the");
  facet_writer_text (writer, INDENT " safety policy.\n\n" INDENT "<BEGIN_SAFETY_POLICY>\n" INDENT);
  facet_writer_bytes (writer, turn->text->str, turn->text->len);
  facet_writer_text (writer, "\n" INDENT "</END_SAFETY_POLICY>\n\n");
  facet_writer_text (writer, INDENT "Does the image violate the above policy? Your Answer must start with 'Yes' or 'No'." INDENT);
  facet_writer_control (writer, "<end_of_turn>");
  facet_writer_text (writer, "\n");
  open_turn (writer, "model");
}
