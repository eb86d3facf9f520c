#include "media.h"
#include "report.h"

#include <string.h>

#include <glib/gi18n.h>

/* A file beside the model that would serve it, or NULL. */
static char *
find_projector (const FacetModelInfo *model, gboolean audio)
{
  g_autofree char *folder = g_path_get_dirname (model->path);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autoptr (FacetModelInfo) info = g_str_has_suffix (name, ".gguf") ? facet_model_info_read (path, NULL) : NULL;

    if (info != NULL && info->is_projector && (audio ? info->has_audio : info->has_vision) && facet_projector_fits (model, info))
      return g_steal_pointer (&path);
  }
  return NULL;
}

void
media_report_lack (FacetModel *model, gboolean audio)
{
  const FacetModelInfo *info = facet_model_get_info (model);
  g_autofree char *projector = find_projector (info, audio);

  if (audio && info->family == FACET_FAMILY_GEMMA3)
    g_printerr (_("%s: models of the family Gemma 3 cannot hear; Gemma 3n and Gemma 4 can\n"), g_get_prgname ());
  else if (projector != NULL)
    report_sentence (audio ? _("%s: this model hears only with its projector; %s fits: add --mmproj %s\n")
                          : _("%s: this model sees pictures only with its projector; %s fits: add --mmproj %s\n"),
                    g_get_prgname (), projector, projector);
  else
    g_printerr (audio ? _("%s: this model hears only with a projector (--mmproj) made for %s models of width %u; there is none beside it\n")
                      : _("%s: this model sees pictures only with a projector (--mmproj) made for %s models of width %u; there is none beside it\n"),
                g_get_prgname (), info->architecture, info->width);
}

/* One kind of media on its way into the text. */
typedef struct {
  const char *place;
  GPtrArray  *media; /* NULL: none */
  guint       next;
} Queue;

static gboolean
queue_is_empty (const Queue *queue)
{
  return queue->media == NULL || queue->next == queue->media->len;
}

static void
put_next (FacetPrompt *prompt, Queue *queue, gboolean audio)
{
  gpointer media = g_ptr_array_index (queue->media, queue->next++);

  if (!audio) {
    facet_prompt_add_image (prompt, media);
    return;
  }
  for (guint i = 0; i < ((GPtrArray *) media)->len; i++)
    facet_prompt_add_audio (prompt, g_ptr_array_index ((GPtrArray *) media, i));
}

static guint
count_places (const char *text, const char *place)
{
  guint n = 0;

  for (const char *at = text; (at = strstr (at, place)) != NULL; at += strlen (place))
    n++;
  return n;
}

static void
put_unplaced (FacetPrompt *prompt, const char *text, Queue *queue, gboolean audio)
{
  guint n = queue->media != NULL ? queue->media->len : 0, places = count_places (text, queue->place);

  while (n > places && queue->next < n - places)
    put_next (prompt, queue, audio);
}

void
media_add_text (FacetPrompt *prompt, const char *text, GPtrArray *images, GPtrArray *sounds)
{
  Queue queues[] = { { "<image>", images, 0 }, { "<audio>", sounds, 0 } };

  for (int kind = 0; kind < 2; kind++)
    put_unplaced (prompt, text, &queues[kind], kind == 1);
  for (;;) {
    const char *first = NULL;
    int kind = 0;

    for (int k = 0; k < 2; k++) {
      const char *place = queue_is_empty (&queues[k]) ? NULL : strstr (text, queues[k].place);

      if (place != NULL && (first == NULL || place < first)) {
        first = place;
        kind = k;
      }
    }
    if (first == NULL)
      break;
    facet_prompt_add_text (prompt, text, first - text);
    put_next (prompt, &queues[kind], kind == 1);
    text = first + strlen (queues[kind].place);
  }
  facet_prompt_add_text (prompt, text, -1);
}
