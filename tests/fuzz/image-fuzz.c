/* Bytes that claim to be a picture. Seeds: tests/data/images. */
#include "facet.h"
#include "media/exif.h"
#include "media/image-probe.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (FacetImage) image = NULL;
  g_autoptr (GError) error = NULL;
  FacetImageProbe probe;
  int orientation = facet_exif_orientation (data, size);

  g_assert (orientation >= 1 && orientation <= 8);
  /* Huge pictures are right, but slow, and find nothing more. */
  if (facet_image_probe (data, size, "fuzz", &probe, NULL) && (gint64) probe.width * probe.height > 1 << 20)
    return 0;
  image = facet_image_new_from_bytes (bytes, "fuzz", &error);
  g_assert ((image == NULL) == (error != NULL));
  if (image)
    g_assert (facet_image_width (image) > 0 && facet_image_height (image) > 0);
  return 0;
}
