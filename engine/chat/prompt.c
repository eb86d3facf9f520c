#include "chat/prompt.h"

#include <string.h>

static void
turn_image_clear (gpointer data)
{
  facet_image_unref (((FacetTurnImage *) data)->image);
}

static void
turn_free (gpointer data)
{
  FacetTurn *turn = data;

  g_string_free (turn->text, TRUE);
  g_array_unref (turn->ids);
  g_array_unref (turn->images);
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
  turn->images = g_array_new (FALSE, FALSE, sizeof (FacetTurnImage));
  g_array_set_clear_func (turn->images, turn_image_clear);
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

void
facet_prompt_add_image (FacetPrompt *prompt, FacetImage *image)
{
  FacetTurn *turn = last_turn (prompt);
  FacetTurnImage entry = { turn->text->len, facet_image_ref (image) };

  g_array_append_val (turn->images, entry);
}
