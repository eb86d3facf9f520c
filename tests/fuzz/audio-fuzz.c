/* Bytes that claim to be a sound. Seeds: tests/data/kit/inputs. */
#include "facet.h"

#include <math.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);
const char *__lsan_default_suppressions (void);

/* libsndfile 1.2 forgets its Vorbis state when opening fails. */
const char *
__lsan_default_suppressions (void)
{
  return "leak:vorbis_info_init\nleak:libvorbis\nleak:libsndfile\n";
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (FacetAudio) audio = NULL;
  g_autoptr (GArray) pieces = NULL;
  g_autoptr (GError) error = NULL;
  float peaks[16];

  audio = facet_audio_load_bytes (bytes, "fuzz", NULL, &error);
  g_assert ((audio == NULL) == (error != NULL));
  /* Long sounds are right, but slow, and find nothing more. */
  if (audio == NULL || facet_audio_duration (audio) > 60)
    return 0;
  facet_audio_peaks (audio, peaks, G_N_ELEMENTS (peaks));
  for (gsize i = 0; i < G_N_ELEMENTS (peaks); i++)
    g_assert (isfinite (peaks[i]) && peaks[i] >= 0);
  pieces = facet_audio_split (audio, 0, NULL, NULL);
  for (guint i = 0; pieces != NULL && i < pieces->len; i++)
    g_assert (g_array_index (pieces, FacetPiece, i).end > g_array_index (pieces, FacetPiece, i).start);
  return 0;
}
