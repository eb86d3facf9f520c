#include "chat/template.h"

#include <string.h>

void
facet_writer_init (FacetWriter *writer, FacetTokenizer *tokenizer, FacetRendered *rendered)
{
  *writer = (FacetWriter){ .tokenizer = tokenizer, .rendered = rendered, .text = g_string_new (NULL), .pan_and_scan = FACET_PAN_AND_SCAN_OFF };
}

static void
flush (FacetWriter *writer)
{
  facet_tokenizer_encode (writer->tokenizer, writer->text->str, writer->text->len, FACET_TOKENIZE_TEXT, writer->rendered->ids);
  g_string_truncate (writer->text, 0);
}

gboolean
facet_writer_end (FacetWriter *writer, GError **error)
{
  flush (writer);
  g_string_free (writer->text, TRUE);
  if (writer->missing != NULL)
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "the vocabulary has no token %s, which the chat template needs", writer->missing);
  return writer->missing == NULL;
}

void
facet_writer_bytes (FacetWriter *writer, const char *text, gsize length)
{
  g_string_append_len (writer->text, text, length);
}

void
facet_writer_text (FacetWriter *writer, const char *text)
{
  g_string_append (writer->text, text);
}

void
facet_writer_trimmed (FacetWriter *writer, const char *text, gsize length)
{
  while (length > 0 && g_ascii_isspace (*text)) {
    text++;
    length--;
  }
  while (length > 0 && g_ascii_isspace (text[length - 1]))
    length--;
  facet_writer_bytes (writer, text, length);
}

void
facet_writer_control (FacetWriter *writer, const char *piece)
{
  gint32 id = facet_tokenizer_lookup (writer->tokenizer, piece);

  flush (writer);
  if (id < 0)
    writer->missing = piece;
  else
    g_array_append_val (writer->rendered->ids, id);
}

void
facet_writer_media (FacetWriter *writer, FacetMedia media)
{
  gint32 id = FACET_ID_MEDIA;

  flush (writer);
  g_array_append_val (writer->rendered->ids, id);
  facet_media_ref (media);
  g_array_append_val (writer->rendered->media, media);
}

void
facet_writer_framed (FacetWriter *writer, FacetFamily family, FacetMedia media)
{
  if (family == FACET_FAMILY_GEMMA4)
    facet_gemma4_frame (writer, media);
  else
    facet_gemma3_frame (writer, media);
}

/* ---- turns ---- */

const FacetTurn *
facet_prompt_turn (const FacetPrompt *prompt, guint index)
{
  return g_ptr_array_index (prompt->turns, index);
}

const FacetTurnPart *
facet_turn_piece (const FacetTurn *turn, guint index, const char **text, gsize *length)
{
  gsize from = index > 0 ? g_array_index (turn->parts, FacetTurnPart, index - 1).offset : 0;
  const FacetTurnPart *part = index < turn->parts->len ? &g_array_index (turn->parts, FacetTurnPart, index) : NULL;

  *text = turn->text->str + from;
  *length = (part != NULL ? part->offset : turn->text->len) - from;
  return part;
}

gboolean
facet_turn_ends_in (const FacetTurn *turn, FacetPartKind kind)
{
  const char *text;
  gsize length;

  if (turn->parts->len == 0)
    return FALSE;
  facet_turn_piece (turn, turn->parts->len, &text, &length);
  return length == 0 && g_array_index (turn->parts, FacetTurnPart, turn->parts->len - 1).kind == kind;
}
