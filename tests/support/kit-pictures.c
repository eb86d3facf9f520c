#include "kit-pictures.h"

char *
kit_path (const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", name, NULL);
}

FacetImage *
kit_picture (const char *name)
{
  g_autofree char *relative = g_build_filename ("inputs", name, NULL), *path = kit_path (relative);
  g_autoptr (GError) error = NULL;
  FacetImage *image = facet_image_load (path, &error);

  g_assert_no_error (error);
  return image;
}

FacetGguf *
kit_projector (const char *family)
{
  g_autofree char *relative = g_strdup_printf ("models/%s-tiny/mmproj.gguf", family), *path = kit_path (relative);
  g_autoptr (GError) error = NULL;
  FacetGguf *gguf = facet_gguf_open (path, &error);

  g_assert_no_error (error);
  return gguf;
}
