#include "pictures.h"

#include <string.h>

#include <glib/gi18n.h>

#include "report.h"

#define PLACE "<image>"

/* A file beside the model that would serve it, or NULL. */
static char *
find_projector (const FacetModelInfo *model)
{
  g_autofree char *folder = g_path_get_dirname (model->path);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autoptr (FacetModelInfo) info = g_str_has_suffix (name, ".gguf") ? facet_model_info_read (path, NULL) : NULL;

    if (info != NULL && info->is_projector && facet_projector_fits (model, info))
      return g_steal_pointer (&path);
  }
  return NULL;
}

static void
report_blind (FacetModel *model)
{
  const FacetModelInfo *info = facet_model_get_info (model);
  g_autofree char *projector = find_projector (info);

  if (projector != NULL)
    g_printerr (_("%s: this model sees pictures only with its projector; %s fits: add --mmproj %s\n"), g_get_prgname (), projector, projector);
  else
    g_printerr (_("%s: this model sees pictures only with a projector (--mmproj) made for %s models of width %u; there is none beside it\n"),
                g_get_prgname (), info->architecture, info->width);
}

GPtrArray *
pictures_load (FacetModel *model, char **paths)
{
  g_autoptr (GPtrArray) images = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_image_unref);

  if (paths != NULL && paths[0] != NULL && !facet_model_accepts_images (model)) {
    report_blind (model);
    return NULL;
  }
  for (char **path = paths; path != NULL && *path != NULL; path++) {
    g_autoptr (GError) error = NULL;
    FacetImage *image = facet_image_load (*path, &error);

    if (image == NULL) {
      report_error (error);
      return NULL;
    }
    if (facet_image_notes (image) & FACET_IMAGE_NOTE_FIRST_FRAME)
      g_printerr (_("%s: only the first frame of this animation is seen\n"), *path);
    g_ptr_array_add (images, image);
  }
  return g_steal_pointer (&images);
}

static guint
count_places (const char *text)
{
  guint n = 0;

  for (const char *at = text; (at = strstr (at, PLACE)) != NULL; at += strlen (PLACE))
    n++;
  return n;
}

void
pictures_add_text (FacetPrompt *prompt, const char *text, GPtrArray *images)
{
  guint n = images != NULL ? images->len : 0, places = MIN (count_places (text), n), next = 0;

  while (next < n - places)
    facet_prompt_add_image (prompt, g_ptr_array_index (images, next++));
  while (next < n) {
    const char *place = strstr (text, PLACE);

    facet_prompt_add_text (prompt, text, place - text);
    facet_prompt_add_image (prompt, g_ptr_array_index (images, next++));
    text = place + strlen (PLACE);
  }
  facet_prompt_add_text (prompt, text, -1);
}
