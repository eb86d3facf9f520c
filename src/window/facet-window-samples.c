#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <glib/gstdio.h>

#include "facet-window-private.h"

static const struct {
  const char *mode;
  const char *name;
} samples[] = {
  { "chart", "sample-chart.png" },
  { "transcribe", "sample-voice-note.ogg" },
};

/* A sample is an attachment like others: a file, which players can open. */
static GFile *
put_down (FacetWindow *self, const char *name, GError **error)
{
  g_autofree char *folder = g_build_filename (facet_store_get_directory (self->store), "samples", NULL);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *uri = g_strconcat ("resource:///io/github/facet_desktop/Facet/samples/", name, NULL);
  g_autoptr (GFile) source = g_file_new_for_uri (uri);
  g_autoptr (GFile) file = g_file_new_for_path (path);

  g_mkdir_with_parents (folder, 0700);
  if (!g_file_copy (source, file, G_FILE_COPY_OVERWRITE, NULL, NULL, NULL, error))
    return NULL;
  return g_steal_pointer (&file);
}

void
_facet_window_try_sample (FacetWindow *self, const char *mode)
{
  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GFile) file = NULL;

    if (!g_str_equal (samples[i].mode, mode))
      continue;
    file = put_down (self, samples[i].name, &error);
    if (file == NULL) {
      g_message ("no sample: %s", error->message);
      facet_window_say (self, _("The sample cannot be written to disk."));
      return;
    }
    facet_composer_add_file (self->composer, file);
    _facet_window_choose_mode (self, facet_mode_find (mode));
    facet_composer_focus (self->composer);
  }
}
