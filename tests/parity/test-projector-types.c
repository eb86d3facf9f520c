/* Picture encoders with weights in every type that projector files have.
 *
 * The kit's 32-bit file is quantised here, in memory. Two things are asked of
 * each type: that the kernels compute what its numbers say (against the same
 * numbers as 32-bit floats), and that it stays as near to the original's
 * values as was measured when this was written (with some room). */
#include "compare.h"
#include "models/encoder.h"
#include "npz.h"
#include "retype.h"

#include <math.h>
#include <string.h>

typedef struct {
  FacetDtype  dtype;
  double      kernels;  /* float activations against the same numbers as floats */
  double      rounding; /* 8-bit activations, likewise */
  double      original; /* either against the original's values; 0: not compared */
} Type;

/* Measured with the kit's two encoders: kernels equal to the last bit; 8-bit
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
  int changed = retype (gguf, "v.blk.", type->dtype, as_floats, owned);
  g_autoptr (FacetEncoder) encoder = facet_encoder_load (gguf, FALSE, &error);
  g_auto (FacetEncoderInput) input = { 0 };
  FacetBackend *backend = facet_cpu_backend_new (2, exact);
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
  g_autofree float *plain = encode (data, size, type, TRUE, TRUE, image, &n);
  g_autofree float *slow = encode (data, size, type, FALSE, TRUE, image, &n), *fast = encode (data, size, type, FALSE, FALSE, image, &n);
  double kernels = relative_error (slow, plain, n), rounding = relative_error (fast, plain, n);
  double away = original ? MAX (relative_error (slow, original, n), relative_error (fast, original, n)) : 0;

  g_test_message ("%s: kernels %.1e, 8-bit activations %.1e, from the original %.1e", facet_dtype_name (type->dtype), kernels, rounding, away);
  g_assert_cmpfloat (kernels, <=, type->kernels);
  g_assert_cmpfloat (rounding, <=, type->rounding);
  if (original)
    g_assert_cmpfloat (away, <=, type->original);
}

static void
test_kit (gconstpointer data)
{
  const char *family = data;
  g_autofree char *model = g_strdup_printf ("kit/models/%s-tiny/mmproj.gguf", family), *values = g_strdup_printf ("kit/expected/%s/vision_photo.npz", family);
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), model, NULL);
  g_autofree char *expected_path = g_build_filename (g_getenv ("FACET_TEST_DATA"), values, NULL);
  g_autofree char *picture = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/inputs/photo.png", NULL), *bytes = NULL;
  g_autoptr (Npz) npz = npz_open (expected_path);
  g_autofree float *expected = npy_floats (npz_get (npz, "soft_tokens"));
  g_autoptr (FacetImage) image = facet_image_load (picture, NULL);
  gsize size;

  g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
  for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
    if (types[t].original > 0)
      check_type (bytes, size, &types[t], image, expected);
}

/* ---- a file with rows of 256, for the type that needs them ---- */

static void
put_string (GByteArray *out, const char *text)
{
  guint64 length = strlen (text);

  g_byte_array_append (out, (const guint8 *) &length, 8);
  g_byte_array_append (out, (const guint8 *) text, (guint) length);
}

static void
put_key (GByteArray *out, const char *key, guint32 type, const void *value, guint bytes)
{
  put_string (out, key);
  g_byte_array_append (out, (const guint8 *) &type, 4);
  g_byte_array_append (out, value, bytes);
}

typedef struct {
  GByteArray *infos, *data;
  GRand      *rand;
  guint64     count;
} Tensors;

/* Random numbers of this spread around @middle. */
static void
put_tensor (Tensors *t, const char *name, guint32 dims, const guint64 *ne, float middle, float spread)
{
  guint64 n = 1, offset = t->data->len;
  guint32 type = FACET_F32;

  put_string (t->infos, name);
  g_byte_array_append (t->infos, (const guint8 *) &dims, 4);
  g_byte_array_append (t->infos, (const guint8 *) ne, 8 * dims);
  g_byte_array_append (t->infos, (const guint8 *) &type, 4);
  g_byte_array_append (t->infos, (const guint8 *) &offset, 8);
  for (guint32 i = 0; i < dims; i++)
    n *= ne[i];
  for (guint64 i = 0; i < n; i++) {
    float x = middle + spread * (float) g_rand_double_range (t->rand, -1, 1);

    g_byte_array_append (t->data, (const guint8 *) &x, 4);
  }
  g_byte_array_set_size (t->data, (t->data->len + 31) / 32 * 32);
  t->count++;
}

static void
put_block (Tensors *t, int i, guint64 e, guint64 f)
{
  static const char *const names[] = { "ln1", "ln2", "attn_q", "attn_k", "attn_v", "attn_out", "ffn_up", "ffn_down" };

  for (gsize n = 0; n < G_N_ELEMENTS (names); n++) {
    guint64 ne[2] = { n == 7 ? f : e, n == 6 ? f : e };
    g_autofree char *weight = g_strdup_printf ("v.blk.%d.%s.weight", i, names[n]), *bias = g_strdup_printf ("v.blk.%d.%s.bias", i, names[n]);

    put_tensor (t, weight, n < 2 ? 1 : 2, ne, n < 2 ? 1 : 0, n < 2 ? 0.1f : 2 / sqrtf ((float) ne[0]));
    put_tensor (t, bias, 1, &ne[1], 0, 0.1f);
  }
}

/* SigLIP of width 256 with two blocks; pictures of 32 pixels become 4 tokens. */
static GByteArray *
make_wide (void)
{
  const guint64 e = 256, f = 512, patches = 64;
  static const struct { const char *key; guint32 value; } sizes[] = {
    { "image_size", 32 }, { "patch_size", 4 }, { "embedding_length", 256 }, { "feed_forward_length", 512 }, { "block_count", 2 },
    { "attention.head_count", 4 }, { "projection_dim", 64 },
  };
  const struct { guint32 type; guint64 n; float values[3]; } halves = { 6, 3, { 0.5f, 0.5f, 0.5f } };
  GByteArray *file = g_byte_array_new (), *keys = g_byte_array_new ();
  Tensors t = { g_byte_array_new (), g_byte_array_new (), g_rand_new_with_seed (7), 0 };
  guint64 n_keys = G_N_ELEMENTS (sizes) + 5;
  guint8 array[4 + 8 + 12], yes = 1;
  guint32 version = 3;
  struct { guint64 length; char text[4]; } architecture = { 4, "clip" };
  struct { guint64 length; char text[6]; } type = { 6, "gemma3" };

  put_key (keys, "general.architecture", 8, &architecture, 12);
  put_key (keys, "clip.projector_type", 8, &type, 14);
  put_key (keys, "clip.use_gelu", 7, &yes, 1);
  memcpy (array, &halves.type, 4);
  memcpy (array + 4, &halves.n, 8);
  memcpy (array + 12, halves.values, 12);
  put_key (keys, "clip.vision.image_mean", 9, array, sizeof array);
  put_key (keys, "clip.vision.image_std", 9, array, sizeof array);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree char *key = g_strconcat ("clip.vision.", sizes[i].key, NULL);

    put_key (keys, key, 4, &sizes[i].value, 4);
  }
  put_tensor (&t, "v.patch_embd.weight", 4, (const guint64[]) { 4, 4, 3, e }, 0, 0.2f);
  put_tensor (&t, "v.patch_embd.bias", 1, &e, 0, 0.1f);
  put_tensor (&t, "v.position_embd.weight", 2, (const guint64[]) { e, patches }, 0, 0.5f);
  for (int i = 0; i < 2; i++)
    put_block (&t, i, e, f);
  put_tensor (&t, "v.post_ln.weight", 1, &e, 1, 0.1f);
  put_tensor (&t, "v.post_ln.bias", 1, &e, 0, 0.1f);
  put_tensor (&t, "mm.soft_emb_norm.weight", 1, &e, 1, 0.1f);
  put_tensor (&t, "mm.input_projection.weight", 2, (const guint64[]) { 64, e }, 0, 0.1f);

  g_byte_array_append (file, (const guint8 *) "GGUF", 4);
  g_byte_array_append (file, (const guint8 *) &version, 4);
  g_byte_array_append (file, (const guint8 *) &t.count, 8);
  g_byte_array_append (file, (const guint8 *) &n_keys, 8);
  g_byte_array_append (file, keys->data, keys->len);
  g_byte_array_append (file, t.infos->data, t.infos->len);
  g_byte_array_set_size (file, (file->len + 31) / 32 * 32);
  g_byte_array_append (file, t.data->data, t.data->len);
  g_byte_array_unref (keys);
  g_byte_array_unref (t.infos);
  g_byte_array_unref (t.data);
  g_rand_free (t.rand);
  return file;
}

static void
test_wide (void)
{
  g_autoptr (GByteArray) file = make_wide ();
  g_autofree char *picture = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/inputs/photo.png", NULL);
  g_autoptr (FacetImage) image = facet_image_load (picture, NULL);

  for (gsize t = 0; t < G_N_ELEMENTS (types); t++)
    check_type (file->data, file->len, &types[t], image, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/projector-types/gemma3", "gemma3", test_kit);
  g_test_add_data_func ("/projector-types/gemma4", "gemma4", test_kit);
  g_test_add_func ("/projector-types/rows-of-256", test_wide);
  return g_test_run ();
}
