#include "chat/prompt.h"

#include <string.h>

FacetMedia
facet_media_ref (FacetMedia media)
{
  if (media.image)
    facet_image_ref (media.image);
  if (media.audio)
    facet_audio_ref (media.audio);
  return media;
}

void
facet_media_clear (FacetMedia *media)
{
  g_clear_pointer (&media->image, facet_image_unref);
  g_clear_pointer (&media->audio, facet_audio_unref);
}

/* A picture made smaller keeps the hash of its file. */
gboolean
facet_media_equal (FacetMedia a, FacetMedia b)
{
  if (a.image && b.image)
    return a.crop == b.crop && facet_image_width (a.image) == facet_image_width (b.image)
           && facet_image_height (a.image) == facet_image_height (b.image)
           && g_str_equal (facet_image_hash (a.image), facet_image_hash (b.image));
  return a.audio && b.audio && g_str_equal (facet_audio_hash (a.audio), facet_audio_hash (b.audio));
}

static void
turn_part_clear (gpointer data)
{
  FacetTurnPart *part = data;

  facet_media_clear (&part->media);
  g_free (part->name);
  g_clear_pointer (&part->value, facet_json_free);
}

static void
turn_free (gpointer data)
{
  FacetTurn *turn = data;

  g_string_free (turn->text, TRUE);
  g_array_unref (turn->ids);
  g_array_unref (turn->parts);
  g_free (turn);
}

FacetPrompt *
facet_prompt_new (FacetTemplate how)
{
  FacetPrompt *prompt = g_new0 (FacetPrompt, 1);

  prompt->how = how;
  prompt->turns = g_ptr_array_new_with_free_func (turn_free);
  return prompt;
}

void
facet_prompt_free (FacetPrompt *prompt)
{
  g_ptr_array_unref (prompt->turns);
  g_clear_pointer (&prompt->tools, g_ptr_array_unref);
  g_free (prompt);
}

void
facet_prompt_begin_turn (FacetPrompt *prompt, FacetRole role)
{
  FacetTurn *turn = g_new0 (FacetTurn, 1);

  turn->role = role;
  turn->text = g_string_new (NULL);
  turn->ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  turn->parts = g_array_new (FALSE, FALSE, sizeof (FacetTurnPart));
  g_array_set_clear_func (turn->parts, turn_part_clear);
  g_ptr_array_add (prompt->turns, turn);
}

static FacetTurn *
last_turn (FacetPrompt *prompt)
{
  g_assert (prompt->turns->len > 0);
  return g_ptr_array_index (prompt->turns, prompt->turns->len - 1);
}

void
facet_prompt_add_text (FacetPrompt *prompt, const char *text, gssize length)
{
  g_string_append_len (last_turn (prompt)->text, text, length < 0 ? (gssize) strlen (text) : length);
}

void
facet_prompt_add_tokens (FacetPrompt *prompt, const gint32 *ids, gsize n)
{
  prompt->bare = TRUE;
  g_array_append_vals (last_turn (prompt)->ids, ids, n);
}

static void
add_media (FacetPrompt *prompt, FacetMedia media)
{
  FacetTurn *turn = last_turn (prompt);
  FacetTurnPart part = { .offset = turn->text->len, .kind = FACET_PART_MEDIA, .media = facet_media_ref (media) };

  g_array_append_val (turn->parts, part);
}

void
facet_prompt_add_image (FacetPrompt *prompt, FacetImage *image)
{
  add_media (prompt, (FacetMedia){ .image = image });
}

void
facet_prompt_set_pan_and_scan (FacetPrompt *prompt, FacetPanAndScan how)
{
  prompt->pan_and_scan = how;
}

void
facet_prompt_add_audio (FacetPrompt *prompt, FacetAudio *audio)
{
  add_media (prompt, (FacetMedia){ .audio = audio });
}

/* ---- tools ---- */

void
facet_prompt_set_tools (FacetPrompt *prompt, GPtrArray *tools, FacetToolChoice choice, FacetCallForm form)
{
  g_clear_pointer (&prompt->tools, g_ptr_array_unref);
  prompt->tools = tools->len > 0 ? g_ptr_array_ref (tools) : NULL;
  prompt->choice = choice;
  prompt->form = form;
}

void
facet_prompt_set_thinking (FacetPrompt *prompt, gboolean thinking)
{
  prompt->thinking = thinking;
}

/* Takes @value. */
static void
add_value (FacetPrompt *prompt, FacetPartKind kind, const char *name, FacetJson *value)
{
  FacetTurn *turn = last_turn (prompt);
  FacetTurnPart part = { .offset = turn->text->len, .kind = kind, .name = g_strdup (name), .value = value };

  g_array_append_val (turn->parts, part);
}

static gboolean
add_object (FacetPrompt *prompt, FacetPartKind kind, const char *name, const char *text, GError **error)
{
  g_autoptr (FacetJson) value = facet_json_parse (text, -1, error);

  if (value == NULL)
    return FALSE;
  if (value->kind != FACET_JSON_OBJECT) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "%s: no JSON object", name);
    return FALSE;
  }
  add_value (prompt, kind, name, g_steal_pointer (&value));
  return TRUE;
}

gboolean
facet_prompt_add_call (FacetPrompt *prompt, const char *name, const char *arguments, GError **error)
{
  return add_object (prompt, FACET_PART_CALL, name, arguments, error);
}

gboolean
facet_prompt_add_result_json (FacetPrompt *prompt, const char *name, const char *json, GError **error)
{
  return add_object (prompt, FACET_PART_RESULT, name, json, error);
}

void
facet_prompt_add_result (FacetPrompt *prompt, const char *name, const char *text, gssize length)
{
  FacetJson *value = g_new0 (FacetJson, 1);

  value->kind = FACET_JSON_STRING;
  value->text = g_utf8_make_valid (text, length);
  add_value (prompt, FACET_PART_RESULT, name, value);
}
