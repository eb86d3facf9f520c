#include "pictures.h"

#include <glib/gi18n.h>

#include "media.h"
#include "report.h"

GPtrArray *
pictures_load (FacetModel *model, char **paths)
{
  g_autoptr (GPtrArray) images = g_ptr_array_new_with_free_func ((GDestroyNotify) facet_image_unref);

  if (paths != NULL && paths[0] != NULL && !facet_model_accepts_images (model)) {
    media_report_lack (model, FALSE);
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
      report_sentence (_("%s: only the first frame of this animation is seen\n"), *path);
    g_ptr_array_add (images, image);
  }
  return g_steal_pointer (&images);
}
