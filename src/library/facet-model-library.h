/* facet-model-library.h - the models on this machine as a GListModel
 *
 * Looks at <XDG data directory>/facet/models and at the folders and files of
 * the settings. Headers are read in a thread; the files are not loaded. Each
 * model is paired with the fitting projector that lies nearest to it;
 * projectors alone are not listed.
 *
 * Properties: "scanning" (boolean, notify). Items: FacetLocalModel by title.
 *
 * Thread-safety: main thread only.
 */
#pragma once

#include <gio/gio.h>

#include "facet-local-model.h"

G_BEGIN_DECLS

#define FACET_TYPE_MODEL_LIBRARY (facet_model_library_get_type ())
G_DECLARE_FINAL_TYPE (FacetModelLibrary, facet_model_library, FACET, MODEL_LIBRARY, GObject)

/* Starts the first scan. Keys used: model-files, model-folders,
 * context-length, precision; a change of these scans again. */
FacetModelLibrary *facet_model_library_new          (GSettings *settings);

/* Returns: (transfer full): <XDG data directory>/facet/models. */
char              *facet_model_library_directory    (void);

void               facet_model_library_scan         (FacetModelLibrary *self);
gboolean           facet_model_library_is_scanning  (FacetModelLibrary *self);

/* Remember a file or folder and scan. */
void               facet_model_library_add          (FacetModelLibrary *self, GFile *file_or_folder);

/* Returns: (transfer none) (nullable). */
FacetLocalModel   *facet_model_library_find         (FacetModelLibrary *self, const char *path);

/* What answers while no file is chosen, of the last scan: the most capable
 * model whose memory fits, in the file that suits the "precision" best. NULL
 * before the first scan and if nothing is usable. Returns: (transfer none)
 * (nullable). */
FacetLocalModel   *facet_model_library_get_automatic (FacetModelLibrary *self);

/* Moves the file (not its projector) to the trash and scans again. On failure
 * the error is a translated sentence. */
void               facet_model_library_trash_async  (FacetModelLibrary   *self,
                                                     FacetLocalModel     *model,
                                                     GAsyncReadyCallback  callback,
                                                     gpointer             user_data);
gboolean           facet_model_library_trash_finish (FacetModelLibrary *self, GAsyncResult *result, GError **error);

G_END_DECLS
