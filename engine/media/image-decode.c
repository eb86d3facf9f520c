#include "media/image-decode.h"

#include <stdlib.h>

#define HEADER 16

static _Thread_local gsize budget_left;
static _Thread_local gboolean budget_passed;

static gboolean
budget_take (gsize size)
{
  if (size > budget_left) {
    budget_passed = TRUE;
    return FALSE;
  }
  budget_left -= size;
  return TRUE;
}

static void *
budget_malloc (gsize size)
{
  gsize *block;

  if (!budget_take (size))
    return NULL;
  /* Zeroed: a broken file must not show what memory held before. */
  block = calloc (1, size + HEADER);
  if (!block) {
    budget_left += size;
    return NULL;
  }
  *block = size;
  return (char *) block + HEADER;
}

static void
budget_free (void *data)
{
  gsize *block;

  if (!data)
    return;
  block = (gsize *) ((char *) data - HEADER);
  budget_left += *block;
  free (block);
}

static void *
budget_realloc (void *data, gsize size)
{
  gsize *block, old;

  if (!data)
    return budget_malloc (size);
  block = (gsize *) ((char *) data - HEADER);
  old = *block;
  if (size > old && !budget_take (size - old))
    return NULL;
  block = realloc (block, size + HEADER);
  if (!block) {
    budget_left += size > old ? size - old : 0;
    return NULL;
  }
  if (size < old)
    budget_left += old - size;
  *block = size;
  return (char *) block + HEADER;
}

#define STBI_MALLOC(size) budget_malloc (size)
#define STBI_REALLOC(data, size) budget_realloc (data, size)
#define STBI_FREE(data) budget_free (data)
#define STBI_ASSERT(condition) ((void) 0)
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_GIF
#define STBI_ONLY_BMP
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
/* Some of stb_image's warnings are given at the end of the file: no pop. */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <stb/stb_image.h>

guint8 *
facet_image_decode (const guint8 *data, gsize size, int channels, gsize budget, const char *label, int *width, int *height, GError **error)
{
  guint8 *pixels;
  int found;

  if (size > G_MAXINT) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "%s: file of %" G_GSIZE_FORMAT " bytes is too large", label, size);
    return NULL;
  }
  budget_left = budget;
  budget_passed = FALSE;
  pixels = stbi_load_from_memory (data, (int) size, width, height, &found, channels);
  if (!pixels) {
    if (budget_passed)
      g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "%s: picture data need more than the %" G_GSIZE_FORMAT " bytes that its header promises", label, budget);
    else
      g_set_error (error, FACET_ERROR, FACET_ERROR_MEDIA, "%s: picture cannot be decoded: %s", label, stbi_failure_reason ());
  }
  return pixels;
}

void
facet_image_decoded_free (guint8 *pixels)
{
  budget_free (pixels);
}
