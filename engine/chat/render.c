#include "chat/prompt.h"

#include <string.h>

/* What comes before a person's first question to a base model: with examples
 * of the kind of answer wanted, even a small one answers briefly and ends. */
static const char transcript_start[]
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

static const char *const transcript_stops[] = { "\nQuestion:", "\n\n", NULL };
static const char *const no_stops[] = { NULL };

void
facet_rendered_clear (FacetRendered *rendered)
{
  g_clear_pointer (&rendered->ids, g_array_unref);
  g_clear_pointer (&rendered->media, g_array_unref);
}

static const FacetTurn *
turn_at (const FacetPrompt *prompt, guint index)
{
  return g_ptr_array_index (prompt->turns, index);
}

static gboolean
has_media (const FacetPrompt *prompt)
{
  for (guint i = 0; i < prompt->turns->len; i++)
    if (turn_at (prompt, i)->parts->len > 0)
      return TRUE;
  return FALSE;
}

/* Without the blanks and line ends around it. */
static const char *
trimmed (const GString *text, gsize *length)
{
  const char *start = text->str, *end = text->str + text->len;

  while (start < end && g_ascii_isspace (*start))
    start++;
  while (end > start && g_ascii_isspace (end[-1]))
    end--;
  *length = end - start;
  return start;
}

static void
append_trimmed (GString *out, const GString *text)
{
  gsize length;
  const char *start = trimmed (text, &length);

  g_string_append_len (out, start, length);
}

/* At most one system turn, at the start; then user and model in turn, the
 * user first. */
static gboolean
check_order (const FacetPrompt *prompt, GError **error)
{
  guint first = prompt->turns->len > 0 && turn_at (prompt, 0)->role == FACET_ROLE_SYSTEM;

  if (prompt->turns->len == first) {
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_INVALID, "the prompt has no turn of a user");
    return FALSE;
  }
  for (guint i = first; i < prompt->turns->len; i++) {
    FacetRole wanted = (i - first) % 2 == 0 ? FACET_ROLE_USER : FACET_ROLE_MODEL;

    if (turn_at (prompt, i)->role != wanted) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "turn %u of the prompt is not the %s's", i,
                   wanted == FACET_ROLE_USER ? "user" : "model");
      return FALSE;
    }
  }
  return TRUE;
}

/* What is being rendered: our own text is gathered, since runs of line ends
 * are one token across its pieces, and tokenized before anything else comes. */
typedef struct {
  FacetTokenizer *tokenizer;
  FacetRendered  *rendered;
  GString        *ours;
} Writer;

static void
flush_ours (Writer *writer)
{
  facet_tokenizer_encode (writer->tokenizer, writer->ours->str, writer->ours->len, FACET_TOKENIZE_SPECIAL, writer->rendered->ids);
  g_string_truncate (writer->ours, 0);
}

static void
put_theirs (Writer *writer, const char *text, gsize length)
{
  while (length > 0 && g_ascii_isspace (*text)) {
    text++;
    length--;
  }
  while (length > 0 && g_ascii_isspace (text[length - 1]))
    length--;
  if (length == 0)
    return;
  flush_ours (writer);
  facet_tokenizer_encode (writer->tokenizer, text, length, FACET_TOKENIZE_TEXT, writer->rendered->ids);
}

static void
put_soft (Writer *writer, FacetMedia media)
{
  gint32 id = FACET_ID_MEDIA;

  flush_ours (writer);
  g_array_append_val (writer->rendered->ids, id);
  facet_media_ref (media);
  g_array_append_val (writer->rendered->media, media);
}

static void
put_framed (Writer *writer, FacetMedia media)
{
  g_string_append (writer->ours, media.image ? "\n\n<start_of_image>" : "\n\n<start_of_audio>");
  put_soft (writer, media);
  g_string_append (writer->ours, media.image ? "<end_of_image>\n\n" : "<end_of_audio>\n\n");
}

/* A turn's text with its media between; each piece of text is trimmed. */
static void
put_turn (Writer *writer, const FacetTurn *turn)
{
  gsize from = 0;

  for (guint i = 0; i < turn->parts->len; i++) {
    const FacetTurnPart *part = &g_array_index (turn->parts, FacetTurnPart, i);

    put_theirs (writer, turn->text->str + from, part->offset - from);
    from = part->offset;
    put_framed (writer, part->media);
  }
  put_theirs (writer, turn->text->str + from, turn->text->len - from);
}

/* Gemma 3 and 3n: there is no system role, its text goes before the first
 * question. */
static void
render_gemma3 (const FacetPrompt *prompt, FacetTokenizer *tokenizer, FacetRendered *rendered)
{
  g_autoptr (GString) ours = g_string_new (NULL);
  Writer writer = { tokenizer, rendered, ours };
  const GString *system = NULL;

  for (guint i = 0; i < prompt->turns->len; i++) {
    const FacetTurn *turn = turn_at (prompt, i);
    gboolean last = i == prompt->turns->len - 1;

    if (turn->role == FACET_ROLE_SYSTEM) {
      system = turn->text;
      continue;
    }
    g_string_append (ours, turn->role == FACET_ROLE_USER ? "<start_of_turn>user\n" : "<start_of_turn>model\n");
    if (system != NULL) {
      put_theirs (&writer, system->str, system->len);
      g_string_append (ours, "\n\n");
      system = NULL;
    }
    put_turn (&writer, turn);
    if (turn->role == FACET_ROLE_USER || !last)
      g_string_append (ours, "<end_of_turn>\n");
    if (turn->role == FACET_ROLE_USER && last)
      g_string_append (ours, "<start_of_turn>model\n");
  }
  flush_ours (&writer);
}

/* As one text, so that words keep the blank before them. */
static void
render_transcript (const FacetPrompt *prompt, FacetTokenizer *tokenizer, FacetRendered *rendered)
{
  g_autoptr (GString) text = g_string_new (transcript_start);

  rendered->stop_strings = transcript_stops;
  rendered->skip_blank = TRUE;
  for (guint i = 0; i < prompt->turns->len; i++) {
    const FacetTurn *turn = turn_at (prompt, i);
    gboolean last = i == prompt->turns->len - 1;

    if (turn->role == FACET_ROLE_SYSTEM) {
      append_trimmed (text, turn->text);
      g_string_append (text, "\n\n");
    } else if (turn->role == FACET_ROLE_USER) {
      g_string_append (text, "Question: ");
      append_trimmed (text, turn->text);
      g_string_append (text, last ? "\nAnswer:" : "\nAnswer: ");
    } else {
      append_trimmed (text, turn->text);
      if (!last)
        g_string_append (text, "\n\n");
      rendered->skip_blank = !last;
    }
  }
  facet_tokenizer_encode (tokenizer, text->str, text->len, FACET_TOKENIZE_TEXT, rendered->ids);
}

static void
render_raw (const FacetPrompt *prompt, FacetTokenizer *tokenizer, FacetRendered *rendered)
{
  g_autoptr (GString) ours = g_string_new (NULL);
  Writer writer = { tokenizer, rendered, ours };
  gint32 bos = facet_tokenizer_bos (tokenizer);
  gboolean has_ids = FALSE;

  for (guint i = 0; i < prompt->turns->len; i++)
    has_ids = has_ids || turn_at (prompt, i)->ids->len > 0;
  rendered->bare = has_ids;

  for (guint i = 0; i < prompt->turns->len; i++) {
    const FacetTurn *turn = turn_at (prompt, i);
    gsize from = 0;

    g_array_append_vals (rendered->ids, turn->ids->data, turn->ids->len);
    if (i == 0 && !has_ids)
      g_array_append_val (rendered->ids, bos);
    for (guint p = 0; p <= turn->parts->len; p++) {
      const FacetTurnPart *part = p < turn->parts->len ? &g_array_index (turn->parts, FacetTurnPart, p) : NULL;
      gsize to = part ? part->offset : turn->text->len;

      flush_ours (&writer);
      facet_tokenizer_encode (tokenizer, turn->text->str + from, to - from, FACET_TOKENIZE_TEXT, rendered->ids);
      if (part && has_ids)
        put_soft (&writer, part->media);
      else if (part)
        put_framed (&writer, part->media);
      from = to;
    }
  }
}

gboolean
facet_prompt_render (const FacetPrompt *prompt,
                     FacetTokenizer    *tokenizer,
                     FacetFamily        family,
                     gboolean           has_chat_template,
                     FacetRendered     *rendered,
                     GError           **error)
{
  FacetTemplate how = prompt->how;
  gint32 bos = facet_tokenizer_bos (tokenizer);

  if (how == FACET_TEMPLATE_AUTO)
    how = has_chat_template || has_media (prompt) ? FACET_TEMPLATE_FAMILY : FACET_TEMPLATE_TRANSCRIPT;
  *rendered = (FacetRendered){ .ids = g_array_new (FALSE, FALSE, sizeof (gint32)),
                               .media = g_array_new (FALSE, FALSE, sizeof (FacetMedia)),
                               .stop_strings = no_stops };
  g_array_set_clear_func (rendered->media, (GDestroyNotify) facet_media_clear);
  if (how == FACET_TEMPLATE_RAW) {
    render_raw (prompt, tokenizer, rendered);
    return TRUE;
  }
  if (!check_order (prompt, error))
    return FALSE;
  g_array_append_val (rendered->ids, bos);
  if (how == FACET_TEMPLATE_TRANSCRIPT) {
    if (has_media (prompt)) {
      g_set_error_literal (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "a transcript cannot hold pictures or sound");
      return FALSE;
    }
    render_transcript (prompt, tokenizer, rendered);
  } else if (family == FACET_FAMILY_GEMMA3 || family == FACET_FAMILY_GEMMA3N) {
    render_gemma3 (prompt, tokenizer, rendered);
  } else {
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "the chat template of this family is not known");
    return FALSE;
  }
  return TRUE;
}
