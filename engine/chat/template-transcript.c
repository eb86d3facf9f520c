/* For base models: a few-shot transcript. */
#include "chat/template.h"

/* What comes before a person's first question to a base model: with examples
 * of the kind of answer wanted, even a small one answers briefly and ends. */
static const char start[]
    = "A person asks questions and an assistant gives short, correct answers.\n\n"
      "Question: Translate to French: good night\n"
      "Answer: bonne nuit\n\n"
      "Question: Translate to Italian: where is the market?\n"
      "Answer: dov'è il mercato?\n\n"
      "Question: What is the capital of Spain?\n"
      "Answer: Madrid is the capital of Spain.\n\n"
      "Question: Name three animals.\n"
      "Answer: Dog, cat and horse.\n\n"
      "Question: Hello!\n"
      "Answer: Hello! What would you like to know?\n\n"
      "Question: Who are you?\n"
      "Answer: I am an assistant that runs on this computer.\n\n"
      "Question: Translate to German: I am hungry\n"
      "Answer: ich habe Hunger\n\n"
      "Question: Translate to Spanish: the sky is blue\n"
      "Answer: el cielo es azul\n\n"
      "Question: Quel est le plus long fleuve de France ?\n"
      "Answer: La Loire est le plus long fleuve de France.\n\n"
      "Question: Why is the sky blue?\n"
      "Answer: Sunlight is scattered by the air, and blue light is scattered the most.\n\n";

static const char *const stops[] = { "\nQuestion:", "\n\n", NULL };

/* Calls stand where answers do, results on lines of their own. */
static void
write_tool_part (FacetWriter *writer, const FacetTurnPart *part)
{
  g_autoptr (GString) text = g_string_new (NULL);

  if (part->kind == FACET_PART_CALL) {
    facet_tools_write_call (text, writer->rendered->form, part);
  } else {
    g_string_append (text, "\nResult: ");
    facet_tools_write_result (text, part);
    g_string_append (text, "\nAnswer: ");
  }
  facet_writer_bytes (writer, text->str, text->len);
}

static void
write_question (FacetWriter *writer, FacetFamily family, const FacetTurn *turn)
{
  facet_writer_text (writer, "Question: ");
  for (guint i = 0; i <= turn->parts->len; i++) {
    const char *text;
    gsize length;
    const FacetTurnPart *part = facet_turn_piece (turn, i, &text, &length);

    facet_writer_trimmed (writer, text, length);
    if (part != NULL)
      facet_writer_framed (writer, family, part->media);
  }
}

static void
write_answer (FacetWriter *writer, const FacetTurn *turn)
{
  for (guint i = 0; i <= turn->parts->len; i++) {
    const char *text;
    gsize length;
    const FacetTurnPart *part = facet_turn_piece (turn, i, &text, &length);

    facet_writer_trimmed (writer, text, length);
    if (part != NULL)
      write_tool_part (writer, part);
  }
}

void
facet_transcript_render (const FacetPrompt *prompt, FacetFamily family, FacetWriter *writer)
{
  const FacetTurn *first = facet_prompt_turn (prompt, 0);
  gboolean has_system = first->role == FACET_ROLE_SYSTEM;

  writer->rendered->stop_strings = stops;
  facet_writer_text (writer, start);
  facet_tools_write_preface (writer, prompt, has_system ? first : NULL);
  for (guint i = has_system; i < prompt->turns->len; i++) {
    const FacetTurn *turn = facet_prompt_turn (prompt, i);
    gboolean last = i == prompt->turns->len - 1;

    if (turn->role == FACET_ROLE_USER) {
      write_question (writer, family, turn);
      facet_writer_text (writer, last ? "\nAnswer:" : "\nAnswer: ");
      writer->rendered->skip_blank = TRUE;
      continue;
    }
    write_answer (writer, turn);
    writer->rendered->skip_blank = !last;
    if (!last)
      facet_writer_text (writer, "\n\n");
  }
}
