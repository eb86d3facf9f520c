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
    return facet_image_width (a.image) == facet_image_width (b.image)
           && facet_image_height (a.image) == facet_image_height (b.image)
           && g_str_equal (facet_image_hash (a.image), facet_image_hash (b.image));
  return a.audio && b.audio && g_str_equal (facet_audio_hash (a.audio), facet_audio_hash (b.audio));
}

static void
turn_part_clear (gpointer data)
{
  facet_media_clear (&((FacetTurnPart *) data)->media);
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
  g_array_append_vals (last_turn (prompt)->ids, ids, n);
}

static void
add_media (FacetPrompt *prompt, FacetMedia media)
{
  FacetTurn *turn = last_turn (prompt);
  FacetTurnPart part = { turn->text->len, facet_media_ref (media) };

  g_array_append_val (turn->parts, part);
}

void
facet_prompt_add_image (FacetPrompt *prompt, FacetImage *image)
{
  add_media (prompt, (FacetMedia){ .image = image });
}

void
facet_prompt_add_audio (FacetPrompt *prompt, FacetAudio *audio)
{
  add_media (prompt, (FacetMedia){ .audio = audio });
}
