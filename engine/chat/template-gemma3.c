/* Gemma 3 and 3n. There is no system role and there are no tokens for tools:
 * the system text and what is said of tools go in front of the first
 * question, results come back in a turn of the user. */
#include "chat/template.h"

#include "media/small-print.h"

static void
frame_one (FacetWriter *writer, FacetMedia media)
{
  facet_writer_text (writer, "\n\n");
  facet_writer_control (writer, media.image ? "<start_of_image>" : "<start_of_audio>");
  facet_writer_media (writer, media);
  facet_writer_control (writer, media.image ? "<end_of_image>" : "<end_of_audio>");
  facet_writer_text (writer, "\n\n");
}

/* The wording of the original's processor (Gemma3Processor). */
void
facet_gemma3_frame (FacetWriter *writer, FacetMedia media)
{
  int crops = media.image ? facet_image_crops (media.image, writer->pan_and_scan) : 0;

  if (crops == 0) {
    frame_one (writer, media);
    return;
  }
  facet_writer_text (writer, "Here is the original image ");
  frame_one (writer, media);
  facet_writer_text (writer, " and here are some crops to help you see better ");
  for (media.crop = 1; media.crop <= crops; media.crop++) {
    if (media.crop > 1)
      facet_writer_text (writer, " ");
    frame_one (writer, media);
  }
}

static void
open_turn (FacetWriter *writer, FacetRole role)
{
  facet_writer_control (writer, "<start_of_turn>");
  facet_writer_text (writer, role == FACET_ROLE_USER ? "user\n" : "model\n");
}

static void
close_turn (FacetWriter *writer)
{
  facet_writer_control (writer, "<end_of_turn>");
  facet_writer_text (writer, "\n");
}

/* One of several calls or results, each on a line of its own. */
static void
write_tool_part (FacetWriter *writer, const FacetTurnPart *part, gboolean first)
{
  g_autoptr (GString) text = g_string_new (first ? NULL : "\n");

  if (part->kind == FACET_PART_CALL)
    facet_tools_write_call (text, writer->rendered->form, part);
  else
    facet_tools_write_result (text, part);
  facet_writer_bytes (writer, text->str, text->len);
}

/* What a turn holds; results inside a turn of the model change the role. */
static void
write_pieces (FacetWriter *writer, const FacetTurn *turn)
{
  FacetRole role = turn->role;
  gboolean fresh = TRUE; /* nothing stands in the open turn yet */

  for (guint i = 0; i <= turn->parts->len; i++) {
    const char *text;
    gsize length;
    const FacetTurnPart *part = facet_turn_piece (turn, i, &text, &length);
    FacetRole wanted = part != NULL && part->kind == FACET_PART_RESULT ? FACET_ROLE_USER : turn->role;

    if (length > 0 && role != turn->role) {
      close_turn (writer);
      open_turn (writer, role = turn->role);
      fresh = TRUE;
    }
    facet_writer_trimmed (writer, text, length);
    fresh = fresh && length == 0;
    if (part == NULL)
      break;
    if (wanted != role) {
      close_turn (writer);
      open_turn (writer, role = wanted);
      fresh = TRUE;
    }
    if (part->kind == FACET_PART_MEDIA)
      facet_gemma3_frame (writer, part->media);
    else
      write_tool_part (writer, part, fresh);
    fresh = FALSE;
  }
}

void
facet_gemma3_render (const FacetPrompt *prompt, FacetWriter *writer)
{
  const FacetTurn *system = NULL;
  gboolean prefaced = FALSE;

  for (guint i = 0; i < prompt->turns->len; i++) {
    const FacetTurn *turn = facet_prompt_turn (prompt, i);
    gboolean last = i == prompt->turns->len - 1;
    gboolean asks = turn->role == FACET_ROLE_USER || facet_turn_ends_in (turn, FACET_PART_RESULT);

    if (turn->role == FACET_ROLE_SYSTEM) {
      system = turn;
      continue;
    }
    open_turn (writer, turn->role);
    if (!prefaced)
      facet_tools_write_preface (writer, prompt, system);
    prefaced = TRUE;
    write_pieces (writer, turn);
    if (asks || !last)
      close_turn (writer);
    if (asks && last)
      open_turn (writer, FACET_ROLE_MODEL);
  }
}
