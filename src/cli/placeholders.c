#include "placeholders.h"

#include <glib/gi18n.h>

/* One kind of media on its way into the ids. */
typedef struct {
  gboolean   audio;
  gint32     id;    /* that holds its places */
  GPtrArray *media; /* of FacetImage or FacetAudio */
  guint      next;
} Queue;

static gint32
id_at (const GArray *ids, guint at)
{
  return g_array_index (ids, gint32, at);
}

static guint
run_length (const GArray *ids, guint from)
{
  guint at = from;

  while (at < ids->len && id_at (ids, at) == id_at (ids, from))
    at++;
  return at - from;
}

static gboolean
check_places (const Queue *queue, const GArray *ids)
{
  guint places = 0;

  for (guint at = 0; at < ids->len; at += run_length (ids, at))
    places += id_at (ids, at) == queue->id;
  if (places == queue->media->len)
    return TRUE;
  g_printerr (queue->audio ? _("%s: places for sounds in --ids: %u, sounds given: %u; a place is token %d, once or as often as the sound takes rows\n")
                           : _("%s: places for pictures in --ids: %u, pictures given: %u; a place is token %d, once or as often as the picture takes rows\n"),
              g_get_prgname (), places, queue->media->len, queue->id);
  return FALSE;
}

/* What a sound does not fill of the rows that its family gives every one holds
 * the last id of the vocabulary, as in the family's own prompts. */
static void
add_filling (FacetPrompt *prompt, FacetModel *model, guint n)
{
  gint32 last = facet_model_vocab_size (model) - 1;

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  while (n-- > 0)
    facet_prompt_add_tokens (prompt, &last, 1);
}

static gboolean
fill_place (FacetPrompt *prompt, FacetModel *model, Queue *queue, guint run)
{
  FacetProjector *projector = facet_model_get_projector (model);
  gpointer medium = g_ptr_array_index (queue->media, queue->next++);
  guint n = queue->audio ? facet_projector_count_audio (projector, medium, NULL) : facet_projector_count (projector, medium);
  guint most = queue->audio ? MAX (n, (guint) facet_projector_sound_rows (projector)) : n;

  if (run != 1 && (run < n || run > most)) {
    g_printerr (queue->audio ? _("%s: place %u for a sound in --ids has %u rows, the sound takes %u\n")
                             : _("%s: place %u for a picture in --ids has %u rows, the picture takes %u\n"),
                g_get_prgname (), queue->next, run, n);
    return FALSE;
  }
  if (queue->audio)
    facet_prompt_add_audio (prompt, medium);
  else
    facet_prompt_add_image (prompt, medium);
  if (run == 1)
    run = most;
  if (run > n)
    add_filling (prompt, model, run - n);
  return TRUE;
}

static GPtrArray *
all_clips (GPtrArray *sounds)
{
  GPtrArray *clips = g_ptr_array_new ();

  for (guint i = 0; i < sounds->len; i++)
    g_ptr_array_extend (clips, g_ptr_array_index (sounds, i), NULL, NULL);
  return clips;
}

gboolean
placeholders_add (FacetPrompt *prompt, FacetModel *model, const GArray *ids, GPtrArray *images, GPtrArray *sounds)
{
  g_autoptr (GPtrArray) clips = all_clips (sounds);
  Queue queues[] = {
    { FALSE, facet_token_placeholder (model, FALSE), images, 0 },
    { TRUE, facet_token_placeholder (model, TRUE), clips, 0 },
  };

  if (images->len + clips->len == 0) {
    facet_prompt_add_tokens (prompt, (const gint32 *) ids->data, ids->len);
    return TRUE;
  }
  if (!check_places (&queues[0], ids) || !check_places (&queues[1], ids))
    return FALSE;
  for (guint at = 0, run; at < ids->len; at += run) {
    Queue *queue = NULL;

    run = run_length (ids, at);
    for (int k = 0; k < 2; k++)
      if (id_at (ids, at) == queues[k].id)
        queue = &queues[k];
    /* Ids stand before the media of their turn. */
    facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
    facet_prompt_add_tokens (prompt, &g_array_index (ids, gint32, at), queue == NULL ? run : 0);
    if (queue != NULL && !fill_place (prompt, model, queue, run))
      return FALSE;
  }
  return TRUE;
}
