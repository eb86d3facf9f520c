/* Gemma 3n's picture encoder against the original implementation: pixels to
 * soft tokens, map by map, and what must be refused. */
#include "compare.h"
#include "device.h"
#include "kit-pictures.h"
#include "models/encoder.h"
#include "npz.h"

#include <math.h>
#include <string.h>

#define SIDE 768
#define TOKENS 256
#define WIDTH 32

/* Marked maps in order, with the side of each. */
static const struct { const char *name; int side; } maps[] = {
  { "stem", 384 },
  { "block0.0", 192 }, { "block0.1", 192 },
  { "block1.0", 96 }, { "block1.1", 96 },
  { "block2.0", 48 }, { "block2.1", 48 }, { "block2.2", 48 }, { "block2.3", 48 }, { "block2.4", 48 },
  { "block3.0", 24 }, { "block3.1", 24 }, { "block3.2", 24 },
  { "msfa", 16 },
};

typedef struct {
  Npz *npz;
  int  seen;
} Maps;

/* The reference has every s-th row and column as [channels, rows, columns]. */
static void
compare_map (int layer, const float *data, int rows, int cols, gpointer user_data)
{
  Maps *m = user_data;
  const char *name = maps[layer + 1].name;
  int side = maps[layer + 1].side, step = MAX (1, side / 16), kept = (side + step - 1) / step;
  const NpyArray *array = npz_find (m->npz, name);
  g_autofree float *expected = array != NULL ? npy_floats (array) : NULL, *picked = NULL;
  double rel;

  g_assert_cmpint (rows, ==, side * side);
  if (expected == NULL)
    return;
  g_assert_cmpuint (array->n, ==, (gsize) cols * kept * kept);
  picked = g_new (float, array->n);
  for (int ch = 0; ch < cols; ch++)
    for (int r = 0; r < kept; r++)
      for (int c = 0; c < kept; c++)
        picked[(ch * kept + r) * kept + c] = data[((gsize) r * step * side + c * step) * cols + ch];
  rel = relative_error (picked, expected, array->n);
  g_test_message ("%s: rel %.1e", name, rel);
  g_assert_cmpfloat (rel, <=, 1e-4);
  m->seen++;
}

typedef struct {
  const char *picture, *expected;
  int         n_maps;
} Case;

static const Case cases[] = {
  { "chart.png", "expected/gemma3n/vision_chart.npz", 14 },
  { "small.png", "expected/gemma3n/vision_small.npz", 1 },
};

static void
check (const Case *c, int threads, gboolean exact)
{
  g_autofree char *values = kit_path (c->expected);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) gguf = kit_projector ("gemma3n");
  g_autoptr (FacetEncoder) encoder = facet_encoder_load (gguf, FALSE, &error);
  g_autoptr (FacetImage) image = kit_picture (c->picture);
  g_autoptr (Npz) npz = npz_open (values);
  g_autofree float *expected = npy_floats (npz_get (npz, "soft_tokens")), *soft = NULL;
  g_auto (FacetEncoderInput) input = { 0 };
  const NpyArray *resized = npz_find (npz, "resized_u8");
  FacetBackend *backend = device_backend (threads, exact);
  Maps m = { npz, 0 };
  double rel;

  g_assert_no_error (error);
  g_assert_cmpint (encoder->width, ==, WIDTH);
  g_assert_true (encoder->prepare_image (encoder, image, NULL, &input, &error));
  g_assert_cmpint (input.n_tokens, ==, TOKENS);
  if (resized != NULL)
    g_assert_cmpmem (input.pixels, SIDE * SIDE * 3, g_bytes_get_data (resized->bytes, NULL), resized->n);
  soft = facet_encoder_run (encoder, backend, &input, compare_map, &m, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpint (m.seen, ==, c->n_maps);
  rel = relative_error (soft, expected, TOKENS * WIDTH);
  g_test_message ("%s: soft tokens rel %.1e", c->picture, rel);
  g_assert_cmpfloat (rel, <=, 1e-4);
  backend->klass->free (backend);
}

static void
test_picture (gconstpointer data)
{
  check (data, 2, FALSE);
}

static void
test_exact (void)
{
  check (&cases[1], 2, TRUE);
}

/* ---- files of another shape ---- */

/* The bytes behind the name of @tensor in the file's list: number of
 * dimensions, then these. */
static guint8 *
find_tensor (char *bytes, gsize size, const char *tensor)
{
  gsize length = strlen (tensor);
  guint64 prefix = length;

  for (gsize at = sizeof prefix; at + length + 4 + 32 < size; at++)
    if (memcmp (bytes + at, tensor, length) == 0 && memcmp (bytes + at - sizeof prefix, &prefix, sizeof prefix) == 0)
      return (guint8 *) bytes + at + length;
  g_error ("no tensor %s", tensor);
}

static char *
read_projector (gsize *size)
{
  g_autofree char *path = kit_path ("models/gemma3n-tiny/mmproj.gguf");
  g_autoptr (GError) error = NULL;
  char *bytes = NULL;

  g_file_get_contents (path, &bytes, size, &error);
  g_assert_no_error (error);
  return bytes;
}

/* Layer scales as plain vectors, as converters leave them. */
static void
test_plain_scale (void)
{
  gsize size;
  g_autofree char *bytes = read_projector (&size);
  guint8 *dims = find_tensor (bytes, size, "v.blk.1.0.layer_scale.gamma") + 4;
  guint64 old[4];
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) gguf = NULL;
  g_autoptr (FacetEncoder) encoder = NULL;

  memcpy (old, dims, sizeof old);
  g_assert_cmpuint (old[2], ==, 24);
  memcpy (dims, (const guint64[]) { 24, 1, 1, 1 }, sizeof old);
  gguf = facet_gguf_open_bytes (bytes, size, "plain", &error);
  g_assert_no_error (error);
  encoder = facet_encoder_load (gguf, FALSE, &error);
  g_assert_no_error (error);
  g_assert_nonnull (encoder);
}

/* A tensor that is unknown, missing or of another shape is named. */
static void
test_refused (void)
{
  static const struct { const char *tensor; gboolean rename; int dim; guint64 value; const char *named[2]; } faults[] = {
    { "v.blk.2.1.dw_start.bn.weight", TRUE, 0, 0, { "v.blk.2.1.dw_start.bn.weigh_", "v.blk.2.1.dw_start.bn.weight" } },
    { "v.blk.2.3.attn.query.proj.weight", TRUE, 0, 0, { "v.blk.2.3.attn.query.proj.weigh_", NULL } },
    { "v.blk.1.0.dw_mid.conv.weight", FALSE, 2, 2, { "v.blk.1.0.dw_mid.conv.weight", NULL } },
    { "v.conv_stem.conv.weight", FALSE, 0, 1, { "v.conv_stem.conv.weight", NULL } },
    { "mm.soft_emb_norm.weight", FALSE, 0, 16, { "mm.soft_emb_norm.weight", NULL } },
  };

  for (guint f = 0; f < G_N_ELEMENTS (faults); f++) {
    gsize size;
    g_autofree char *bytes = read_projector (&size);
    guint8 *found = find_tensor (bytes, size, faults[f].tensor);
    g_autoptr (GError) error = NULL;
    g_autoptr (FacetGguf) gguf = NULL;

    if (faults[f].rename)
      found[-1] = '_';
    else
      memcpy (found + 4 + 8 * faults[f].dim, &faults[f].value, 8);
    gguf = facet_gguf_open_bytes (bytes, size, "damaged", &error);
    if (gguf != NULL)
      g_assert_null (facet_encoder_load (gguf, FALSE, &error));
    g_assert_nonnull (error);
    for (int i = 0; i < 2 && faults[f].named[i] != NULL; i++)
      g_assert_nonnull (strstr (error->message, faults[f].named[i]));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  g_test_add_data_func ("/mobilenetv5/chart", &cases[0], test_picture);
  g_test_add_data_func ("/mobilenetv5/small", &cases[1], test_picture);
  g_test_add_func ("/mobilenetv5/exact", test_exact);
  g_test_add_func ("/mobilenetv5/plain-scale", test_plain_scale);
  g_test_add_func ("/mobilenetv5/refused", test_refused);
  return g_test_run ();
}
