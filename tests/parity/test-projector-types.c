/* Picture encoders with weights in every type that projector files have.
 *
 * The kit's 32-bit file is quantised here, in memory. Two things are asked of
 * each type: that the kernels compute what its numbers say (against the same
 * numbers as 32-bit floats), and that it stays as near to the original's
 * values as was measured when this was written (with some room). */
#include "compare.h"
#include "device.h"
#include "kit-pictures.h"
#include "models/encoder.h"
#include "npz.h"
#include "retype.h"
#include "siglip-file.h"

typedef struct {
  FacetDtype  dtype;
  double      kernels;  /* float activations against the same numbers as floats */
  double      rounding; /* 8-bit activations, likewise */
  double      original; /* either against the original's values; 0: not compared */
} Type;

/* What cooperative matrices may be off; measured 5e-4 to 2e-3. */
#define HALVES 5e-3

/* Measured with the kit's two transformers: kernels equal to the last bit; 8-bit
 * activations 0.02 off (Q4_K, without an original: 0.012); from the original
 * F16 2.5e-3, BF16 0.02, Q8_0 0.072, Q4_0 0.66, which is what the types
 * themselves lose. */
static const Type types[] = {
  { FACET_F16, 1e-5, 1e-5, 5e-3 },
  { FACET_BF16, 1e-5, 1e-5, 4e-2 },
  { FACET_Q8_0, 1e-5, 0.05, 0.15 },
  { FACET_Q4_0, 1e-5, 0.05, 1.3 },
  { FACET_Q4_K, 1e-5, 0.05, 0 },
};

/* ---- encoding ---- */

/* @data: the bytes of a projector file. */
static float *
encode (const void *data, gsize size, const Type *type, gboolean as_floats, gboolean exact, FacetImage *image, gsize *n)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) gguf = facet_gguf_open_bytes (data, size, "projector", &error);
  g_autoptr (GPtrArray) owned = g_ptr_array_new_with_free_func (g_free);
  int changed = retype (gguf, "v.blk.", type->dtype, as_floats, owned) + retype_kernels (gguf, "v.", type->dtype, as_floats, owned);
  g_autoptr (FacetEncoder) encoder = facet_encoder_load (gguf, FALSE, &error);
  g_auto (FacetEncoderInput) input = { 0 };
  FacetBackend *backend = device_backend (2, exact);
  float *soft;

  g_assert_no_error (error);
  g_assert_cmpint (changed, >=, 6);
  if (encoder->details)
    encoder->detail = 70;
  g_assert_true (encoder->prepare_image (encoder, image, NULL, &input, &error));
  soft = facet_encoder_run (encoder, backend, &input, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  *n = (gsize) input.n_tokens * encoder->width;
  backend->klass->free (backend);
  return soft;
}

static void
check_type (const void *data, gsize size, const Type *type, FacetImage *image, const float *original)
{
  gsize n;
  /* What computes floats one way only, a device with scalars, is run once. */
  gboolean same = device_is_gpu () && !device_rounds_halves () && facet_dtype_info (type->dtype)->block == 1;
  g_autofree float *plain = encode (data, size, type, TRUE, TRUE, image, &n), *slow = encode (data, size, type, FALSE, TRUE, image, &n);
  g_autofree float *fast = same ? g_memdup2 (slow, n * sizeof (float)) : encode (data, size, type, FALSE, FALSE, image, &n);
  double kernels = relative_error (slow, plain, n), rounding = relative_error (fast, plain, n);
  double away = original ? MAX (relative_error (slow, original, n), relative_error (fast, original, n)) : 0;

  g_test_message ("%s: kernels %.1e, 8-bit activations %.1e, from the original %.1e", facet_dtype_name (type->dtype), kernels, rounding, away);
  g_assert_cmpfloat (kernels, <=, type->kernels);
  g_assert_cmpfloat (rounding, <=, device_rounds_halves () ? MAX (type->rounding, HALVES) : type->rounding);
  if (original)
    g_assert_cmpfloat (away, <=, type->original);
}

typedef struct {
  const char *family, *picture, *values;
  gboolean    convolutions; /* which are never of a type with blocks */
} Case;

static const Case cases[] = {
  { "gemma3", "photo.png", "expected/gemma3/vision_photo.npz", FALSE },
  { "gemma4", "photo.png", "expected/gemma4/vision_photo.npz", FALSE },
  { "gemma3n", "small.png", "expected/gemma3n/vision_small.npz", TRUE },
};

static void
test_kit (gconstpointer data)
{
  const Case *c = data;
  g_autofree char *model = g_strdup_printf ("models/%s-tiny/mmproj.gguf", c->family), *path = kit_path (model), *values = kit_path (c->values);
  g_autofree char *bytes = NULL;
  g_autoptr (Npz) npz = npz_open (values);
  g_autofree float *expected = npy_floats (npz_get (npz, "soft_tokens"));
  g_autoptr (FacetImage) image = kit_picture (c->picture);
  gsize size;

  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
    if (types[t].original > 0 && !(c->convolutions && facet_dtype_info (types[t].dtype)->block > 1))
      check_type (bytes, size, &types[t], image, expected);
}

/* SigLIP of width 256 with two blocks, for the type that needs rows of 256;
 * pictures of 32 pixels become 4 tokens. */
static void
test_wide (void)
{
  const SiglipShape shape = { .side = 32, .patch = 4, .inner = 256, .ffn = 512, .width = 64, .blocks = 2, .heads = 4 };
  g_autoptr (GByteArray) file = siglip_file (&shape);
  g_autoptr (FacetImage) image = kit_picture ("photo.png");

  for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
    check_type (file->data, file->len, &types[t], image, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  for (gsize c = 0; c < G_N_ELEMENTS (cases); c++) {
    g_autofree char *name = g_strconcat ("/projector-types/", cases[c].family, NULL);

    /* Nothing of it is quantised, and software devices take their time. */
    if (cases[c].convolutions && g_strcmp0 (g_getenv ("FACET_VULKAN_TIER"), "dot") == 0)
      continue;
    g_test_add_data_func (name, &cases[c], test_kit);
  }
  g_test_add_func ("/projector-types/rows-of-256", test_wide);
  return g_test_run ();
}
