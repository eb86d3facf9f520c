/* Sound encoders with weights in every type that projector files have.
 *
 * The kit's 32-bit files are quantised in memory. Three things are asked of
 * each type: that the kernels compute what its numbers say (against the same
 * numbers as 32-bit floats), that 8-bit activations stay near that, and that
 * the soft tokens stay as near to the original's as was measured when this was
 * written (with some room): what the type itself loses. */
#include "compare.h"
#include "device.h"
#include "models/encoder.h"
#include "npz.h"
#include "retype.h"

#include <string.h>

typedef struct {
  FacetDtype dtype;
  double     kernels;  /* float activations against the same numbers as floats */
  double     rounding; /* as the backend computes usually, likewise */
  double     original; /* either against the original's values */
} Type;

/* Measured: kernels equal to the last bit; 8-bit activations 0.05 to 0.13 off;
 * from the original F16 2e-3 to 5e-3, BF16 0.02 to 0.04, Q8_0 0.07 to 0.16, Q4_0
 * 1.2 to 2. */
static const Type types[] = {
  { FACET_F16, 1e-5, 1e-5, 8e-3 },
  { FACET_BF16, 1e-5, 1e-5, 6e-2 },
  { FACET_Q8_0, 1e-5, 0.15, 0.22 },
  { FACET_Q4_0, 1e-5, 0.18, 3 },
};

/* What cooperative matrices may be off. */
#define HALVES 2e-2

typedef struct {
  const char *family, *sound;
  char       *bytes;   /* of the projector file */
  gsize       size;
  const NpyArray *mel, *soft; /* the original's */
  float          *expected;   /* soft's values */
} Case;

static float *
encode (const Case *c, FacetDtype dtype, gboolean as_floats, gboolean exact)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) gguf = facet_gguf_open_bytes (c->bytes, c->size, "projector", &error);
  g_autoptr (GPtrArray) owned = g_ptr_array_new_with_free_func (g_free);
  int blocks = retype (gguf, "a.blk.", dtype, as_floats, owned), ends = retype (gguf, "a.", dtype, as_floats, owned)
                                                                        + retype (gguf, "mm.a.", dtype, as_floats, owned);
  g_autoptr (FacetEncoder) encoder = facet_encoder_load (gguf, TRUE, &error);
  FacetBackend *backend = device_backend (2, exact);
  FacetEncoderInput input = { .shape = (int) c->mel->shape[0], .n_tokens = (int) c->soft->shape[0] };
  float *soft;

  g_assert_no_error (error);
  g_assert_cmpint (blocks, >=, 33); /* 11 matrices in each of 3 blocks */
  g_assert_cmpint (ends, >=, 1);
  input.data[0] = npy_floats (c->mel);
  soft = facet_encoder_run (encoder, backend, &input, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  facet_encoder_input_clear (&input);
  backend->klass->free (backend);
  return soft;
}

static void
check_type (const Case *c, const Type *type)
{
  gsize n = c->soft->n;
  /* What computes floats one way only, a device with scalars, is run once. */
  gboolean same = device_is_gpu () && !device_rounds_halves () && facet_dtype_info (type->dtype)->block == 1;
  g_autofree float *plain = encode (c, type->dtype, TRUE, TRUE), *slow = encode (c, type->dtype, FALSE, TRUE);
  g_autofree float *fast = same ? g_memdup2 (slow, n * sizeof (float)) : encode (c, type->dtype, FALSE, FALSE);
  double kernels = relative_error (slow, plain, n), rounding = relative_error (fast, plain, n);
  double away = MAX (relative_error (slow, c->expected, n), relative_error (fast, c->expected, n));

  g_test_message ("%s %s %s: kernels %.1e, as usual %.1e, from the original %.1e", c->family, c->sound, facet_dtype_name (type->dtype),
                  kernels, rounding, away);
  g_assert_cmpfloat (kernels, <=, type->kernels);
  g_assert_cmpfloat (rounding, <=, device_rounds_halves () ? MAX (type->rounding, HALVES) : type->rounding);
  g_assert_cmpfloat (away, <=, type->original);
}

static void
check (const char *family, const char *sound)
{
  g_autofree char *model = g_strdup_printf ("kit/models/%s-tiny/mmproj.gguf", family);
  g_autofree char *values = g_strdup_printf ("kit/expected/%s/audio_%s.npz", family, sound);
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), model, NULL);
  g_autofree char *npz_path = g_build_filename (g_getenv ("FACET_TEST_DATA"), values, NULL), *bytes = NULL;
  g_autofree float *expected = NULL;
  g_autoptr (Npz) npz = npz_open (npz_path);
  Case c = { .family = family, .sound = sound, .mel = npz_get (npz, "mel"), .soft = npz_find (npz, "soft_tokens_encoder") };

  if (c.soft == NULL)
    c.soft = npz_get (npz, "soft_tokens");
  g_assert_true (g_file_get_contents (path, &bytes, &c.size, NULL));
  c.bytes = bytes;
  c.expected = expected = npy_floats (c.soft);
  for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
    /* Nothing of floats is quantised. */
    if (facet_dtype_info (types[t].dtype)->block > 1 || g_strcmp0 (g_getenv ("FACET_VULKAN_TIER"), "dot") != 0)
      check_type (&c, &types[t]);
}

static void
test_family (gconstpointer family)
{
  check (family, "chirp");
  if (!device_is_gpu ()) /* software devices take their time */
    check (family, "note_it");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  g_test_add_data_func ("/sound-types/gemma3n", "gemma3n", test_family);
  g_test_add_data_func ("/sound-types/gemma4", "gemma4", test_family);
  return g_test_run ();
}
