#include "media/image-decode.h"

#include <stdlib.h>
#include <string.h>

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
#define STBI_ONLY_TGA
#define STBI_ONLY_PSD
#define STBI_ONLY_PNM
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
/* Some of stb_image's warnings are given at the end of the file: no pop. */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wsign-compare"
#include <stb/stb_image.h>

/* Blocks that 32 bits can hold, one of each table a block at least. */
#define LAST_BLOCKS 16

/* A JPEG file on its way. The decoder takes zeros where data end too early and
 * says nothing; a marker after which more blocks come than the bits already
 * read can hold gives it away. */
typedef struct {
  const guint8 *data;
  gsize         size, at;
  stbi__jpeg    decoder;
  void        (*idct) (stbi_uc *out, int stride, short data[64]);
  int           blocks; /* since the marker */
  gboolean      starved;
} JpegFile;

static _Thread_local JpegFile *watched;

static void
watching_idct (stbi_uc *out, int stride, short data[64])
{
  watched->blocks = watched->decoder.nomore ? watched->blocks + 1 : 0;
  /* Progressive files transform their blocks after all data were read. */
  if (watched->blocks > LAST_BLOCKS && !watched->decoder.progressive)
    watched->starved = TRUE;
  watched->idct (out, stride, data);
}

/* Up to the next 0xff, so that this is called for what may be a marker. There
 * the decoder stops with fewer bits than a code may take, and would count them
 * below zero: they are filled up with the zeros that it takes from then on. */
static int
jpeg_read (void *user, char *to, int size)
{
  JpegFile *file = user;
  const guint8 *from = file->data + file->at, *ff;
  int n = (int) MIN ((gsize) size, file->size - file->at);

  if (n == 0)
    return 0;
  if (file->at > 0 && from[-1] == 0xff && from[0] != 0 && from[0] != 0xff)
    file->decoder.code_bits = MAX (file->decoder.code_bits, 32);
  ff = memchr (from, 0xff, n);
  if (ff)
    n = (int) (ff - from) + 1;
  memcpy (to, from, n);
  file->at += n;
  return n;
}

static void
jpeg_skip (void *user, int n)
{
  JpegFile *file = user;

  file->at += MIN ((gsize) n, file->size - file->at);
}

static int
jpeg_at_end (void *user)
{
  JpegFile *file = user;

  return file->at == file->size;
}

static guint8 *
decode_jpeg (const guint8 *data, gsize size, int *width, int *height, int channels)
{
  JpegFile *file = stbi__malloc (sizeof *file);
  stbi__context context;
  guint8 *pixels;
  int found;

  if (!file)
    return stbi__errpuc ("outofmem", "Out of memory");
  *file = (JpegFile) { .data = data, .size = size };
  stbi__start_callbacks (&context, &(stbi_io_callbacks) { jpeg_read, jpeg_skip, jpeg_at_end }, file);
  file->decoder.s = &context;
  stbi__setup_jpeg (&file->decoder);
  file->idct = file->decoder.idct_block_kernel;
  file->decoder.idct_block_kernel = watching_idct;
  watched = file;
  pixels = load_jpeg_image (&file->decoder, width, height, &found, channels);
  watched = NULL;
  if (pixels && file->starved) {
    STBI_FREE (pixels);
    pixels = stbi__errpuc ("data end before the picture does", "");
  }
  STBI_FREE (file);
  return pixels;
}

/* What facet_image_probe_psd() found in order. stbi__psd_load() divides a white
 * matte out of partly clear colours, and overflows where they are darker than
 * it; pictures are laid on white in the end, so that it may stay. */
static guint8 *
decode_psd (stbi__context *context, int *width, int *height, int channels)
{
  int planes, depth, n;
  gboolean runs;
  guint8 *pixels;

  stbi__skip (context, 12);
  planes = stbi__get16be (context);
  *height = (int) stbi__get32be (context);
  *width = (int) stbi__get32be (context);
  depth = stbi__get16be (context);
  stbi__skip (context, 2);
  for (int section = 0; section < 3; section++)
    stbi__skip (context, (int) stbi__get32be (context));
  runs = stbi__get16be (context) == 1;
  if (runs)
    stbi__skip (context, 2 * *height * planes);
  pixels = stbi__malloc_mad3 (4, *width, *height, 0);
  if (!pixels)
    return stbi__errpuc ("outofmem", "Out of memory");
  n = *width * *height;
  for (int plane = 0; plane < MIN (planes, 4); plane++) {
    if (runs && !stbi__psd_decode_rle (context, pixels + plane, n)) {
      STBI_FREE (pixels);
      return stbi__errpuc ("bad runs", "");
    }
    for (int i = 0; i < n && !runs; i++)
      pixels[4 * (gsize) i + plane] = depth == 16 ? (guint8) (stbi__get16be (context) >> 8) : stbi__get8 (context);
  }
  for (int i = 0; i < n; i++)
    if (planes < 4 || pixels[4 * (gsize) i + 3] > 0)
      pixels[4 * (gsize) i + 3] = 255;
  return stbi__convert_format (pixels, 4, channels, *width, *height);
}

guint8 *
facet_image_decode (const guint8 *data, gsize size, int channels, gsize budget, const char *label, int *width, int *height, GError **error)
{
  stbi__context context;
  guint8 *pixels;
  int found;

  if (size > G_MAXINT) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "%s: file of %" G_GSIZE_FORMAT " bytes is too large", label, size);
    return NULL;
  }
  budget_left = budget;
  budget_passed = FALSE;
  stbi__start_mem (&context, data, (int) size);
  pixels = stbi__jpeg_test (&context)  ? decode_jpeg (data, size, width, height, channels)
           : stbi__psd_test (&context) ? decode_psd (&context, width, height, channels)
                                       : stbi__load_and_postprocess_8bit (&context, width, height, &found, channels);
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
