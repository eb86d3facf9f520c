#include "sounds.h"

#include <glib/gi18n.h>

#include "media.h"
#include "report.h"

static GPtrArray *
load_clips (const char *path, FacetCancel *cancel, GError **error)
{
  g_autoptr (FacetAudio) audio = facet_audio_load (path, cancel, error);

  return audio != NULL ? facet_audio_clips (audio, cancel, error) : NULL;
}

GPtrArray *
sounds_load (FacetModel *model, char **paths, FacetCancel *cancel)
{
  g_autoptr (GPtrArray) sounds = g_ptr_array_new_with_free_func ((GDestroyNotify) g_ptr_array_unref);

  if (paths != NULL && paths[0] != NULL && !facet_model_accepts_audio (model)) {
    media_report_lack (model, TRUE);
    return NULL;
  }
  for (char **path = paths; path != NULL && *path != NULL; path++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) clips = load_clips (*path, cancel, &error);

    if (clips == NULL) {
      report_error (error);
      return NULL;
    }
    if (clips->len == 0) {
      report_sentence (_("%s: no speech is heard in %s\n"), g_get_prgname (), *path);
      return NULL;
    }
    g_ptr_array_add (sounds, g_steal_pointer (&clips));
  }
  return g_steal_pointer (&sounds);
}
