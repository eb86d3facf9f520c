/* Models cut out of the kit's Gemma 3n: what they compute against the same cuts
 * made and run in NumPy, what the files say, what is refused. */
#include "decoder-run.h"
#include "device.h"
#include "facet.h"
#include "inflate.h"

#include <glib/gstdio.h>

#include <string.h>
#include <unistd.h>

#define VOCAB 368
#define TEXT_VOCAB 352
#define WIDTH 32
#define IMAGE_ID 353
#define LAYERS 22

#define FLOATS "text-f32.gguf.gz"
#define QUANTISED "text-q4_0.gguf"

/* Those of tests/data/kit/make-sliced-3n.py. Without 3, 7 and 12, layers change their
 * place and so the kind, the sparsity and the cache that a place alone would give. */
static const int without_shared[] = { 20 }, narrow[] = { 64 };
static const int without_mixed[] = { 21, 3, 12, 7 }, mixed[] = { 64, 128, 96, 64, 128, 96, 64, 128, 96, 64, 128, 96, 64, 128, 96, 64, 128, 96 };

static const FacetSubmodel nested_cut = { without_shared, 1, narrow, 1 };
static const FacetSubmodel mixed_cut = { without_mixed, 4, mixed, 18 };

static const struct {
  const char          *name;
  const FacetSubmodel *cut;
  const char          *file, *prompt, *type;
  gboolean             on_devices;
} rows[] = {
  { "nested", &nested_cut, FLOATS, "text", "f32", FALSE },
  { "nested", &nested_cut, FLOATS, "interleaved", "f32", FALSE },
  { "nested", &nested_cut, QUANTISED, "text", "q4_0", TRUE },
  { "mixed", &mixed_cut, FLOATS, "text", "f32", FALSE },
  { "mixed", &mixed_cut, FLOATS, "interleaved", "f32", TRUE },
  { "mixed", &mixed_cut, QUANTISED, "text", "q4_0", FALSE },
};

/* ---- writing into memory ---- */

static gboolean
append (const void *data, gsize n, gpointer user_data, GError **error)
{
  g_byte_array_append (user_data, data, (guint) n);
  return TRUE;
}

/* Like facet_submodel_write() of a file of the kit. */
static GByteArray *
cut_file (const char *folder, const char *file, const FacetSubmodel *cut, GError **error)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "models", folder, file, NULL);
  g_autofree char *plain = g_str_has_suffix (file, ".gz") ? inflate_to_temporary (path) : NULL;
  GByteArray *bytes = g_byte_array_new ();

  if (!facet_submodel_write (plain != NULL ? plain : path, cut, append, bytes, error))
    g_clear_pointer (&bytes, g_byte_array_unref);
  if (plain != NULL)
    g_unlink (plain);
  return bytes;
}

static FacetGguf *
open_cut (const char *file, const FacetSubmodel *cut, GByteArray **bytes)
{
  g_autoptr (GError) error = NULL;
  FacetGguf *gguf;

  *bytes = cut_file ("gemma3n-tiny", file, cut, &error);
  g_assert_no_error (error);
  gguf = facet_gguf_open_bytes ((*bytes)->data, (*bytes)->len, "cut", &error);
  g_assert_no_error (error);
  return gguf;
}

/* ---- what they compute ---- */

static void
test_logits (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  g_autofree char *npz = g_strconcat (rows[i].prompt, ".npz", NULL), *key = NULL, *path = NULL;
  g_autoptr (KitPrompt) prompt = kit_prompt_open ("gemma3n", npz, WIDTH, IMAGE_ID, TEXT_VOCAB);
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (DecoderRun) run = decoder_run_open (open_cut (rows[i].file, rows[i].cut, &bytes), TRUE, 1);
  g_autofree float *logits = NULL, *expected = NULL;
  g_autoptr (Npz) stored = NULL;
  double rel;

  path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "expected", "gemma3n", "sliced.npz", NULL);
  key = g_strdup_printf ("%s_%s_%s", rows[i].name, rows[i].prompt, rows[i].type);
  stored = npz_open (path);
  expected = npy_floats (npz_get (stored, key));
  logits = decoder_run_prompt (run, prompt, 13, FACET_BUILD_NORMAL, prompt->pos, prompt->n_pos, NULL, NULL);
  rel = relative_error (logits, expected, (gsize) prompt->n_pos * VOCAB);
  g_test_message ("%s: logits rel %.1e", key, rel);
  g_assert_cmpfloat (rel, <=, 1e-4);
}

/* ---- what the files hold ---- */

static void
assert_same_key (FacetGguf *a, FacetGguf *b, const char *key)
{
  guint32 left = 0, right = 0;

  facet_gguf_get_u32 (a, key, &left);
  facet_gguf_get_u32 (b, key, &right);
  g_assert_cmpuint (left, ==, right);
}

static FacetGguf *
open_kit (const char *file)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "models", "gemma3n-tiny", file, NULL);
  g_autoptr (GError) error = NULL;
  FacetGguf *gguf = facet_gguf_open (path, &error);

  g_assert_no_error (error);
  return gguf;
}

/* Nothing cut: all tensors and all keys, but for the name. */
static void
test_whole (void)
{
  const FacetSubmodel all = { NULL };
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (FacetGguf) cut = open_cut (QUANTISED, &all, &bytes), whole = open_kit (QUANTISED);
  gint64 width = 0;

  g_assert_cmpuint (facet_gguf_n_tensors (cut), ==, facet_gguf_n_tensors (whole));
  for (gsize i = 0; i < facet_gguf_n_tensors (whole); i++) {
    const FacetTensor *a = facet_gguf_tensor_at (whole, i), *b = facet_gguf_tensor_at (cut, i);

    g_assert_cmpstr (a->name, ==, b->name);
    g_assert_cmpint (a->dtype, ==, b->dtype);
    g_assert_cmpmem (a->ne, sizeof a->ne, b->ne, sizeof b->ne);
    g_assert_cmpmem (a->data, a->bytes, b->data, b->bytes);
  }
  assert_same_key (cut, whole, "gemma3n.block_count");
  assert_same_key (cut, whole, "gemma3n.attention.shared_kv_layers");
  assert_same_key (cut, whole, "tokenizer.ggml.eos_token_id");
  g_assert_cmpstr (facet_gguf_get_string (cut, "general.name"), ==, "gemma3n-tiny-random (sub-model of 22 layers)");
  g_assert_cmpuint (facet_gguf_array_length (cut, "tokenizer.ggml.tokens"), ==, VOCAB);
  g_assert_true (facet_gguf_array_i64 (cut, "gemma3n.feed_forward_length", 21, &width));
  g_assert_cmpint (width, ==, 128);
}

/* The sub-model of a sub-model is that of the whole. */
static void
test_again (void)
{
  const int first[] = { 3, 12 }, then[] = { 6, 19 }; /* layers 7 and 21 of the whole */
  const FacetSubmodel some = { first, 2, NULL, 0 }, rest = { then, 2, mixed, 18 };
  g_autoptr (GByteArray) once = NULL, between = NULL, twice = g_byte_array_new ();
  g_autoptr (FacetGguf) at_once = open_cut (QUANTISED, &mixed_cut, &once), in_two = NULL;
  g_autoptr (FacetGguf) step = open_cut (QUANTISED, &some, &between);
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  int fd = g_file_open_tmp ("facet-XXXXXX.gguf", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  g_assert_true (g_file_set_contents (path, (const char *) between->data, between->len, &error));
  facet_submodel_write (path, &rest, append, twice, &error);
  g_assert_no_error (error);
  g_unlink (path);
  in_two = facet_gguf_open_bytes (twice->data, twice->len, "cut", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (facet_gguf_n_tensors (at_once), ==, facet_gguf_n_tensors (in_two));
  for (gsize i = 0; i < facet_gguf_n_tensors (at_once); i++) {
    const FacetTensor *a = facet_gguf_tensor_at (at_once, i), *b = facet_gguf_tensor_at (in_two, i);

    g_assert_cmpstr (a->name, ==, b->name);
    g_assert_cmpmem (a->data, a->bytes, b->data, b->bytes);
  }
}

/* ---- what is refused ---- */

static void
assert_refused (const char *folder, const char *file, const FacetSubmodel *cut, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GByteArray) bytes = cut_file (folder, file, cut, &error);

  g_assert_null (bytes);
  g_assert_error (error, FACET_ERROR, FACET_ERROR_INVALID);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, message));
}

static void
test_refused (void)
{
  static const int beyond[] = { LAYERS }, negative[] = { -1 }, source[] = { 18 }, wide[] = { 160 }, little[] = { 0 }, half_block[] = { 48 },
                   two[] = { 64, 96 };
  int all[LAYERS];
  const struct { FacetSubmodel cut; const char *message; } cases[] = {
    { { beyond, 1 }, "layer 22 cannot be left out of 22" },
    { { negative, 1 }, "layer -1 cannot be left out" },
    { { source, 1 }, "layer 20 reads keys and values of layer 18" },
    { { all, LAYERS }, "no layer would be left of 22" },
    { { NULL, 0, wide, 1 }, "layer 0: a feed-forward width of 160 is not within 32 .. 128" },
    { { NULL, 0, little, 1 }, "width of 0" },
    { { NULL, 0, half_block, 1 }, "tensor blk.0.ffn_down.weight: columns 0 to 47 are no whole blocks of Q4_0, 32 each" },
    { { NULL, 0, two, 2 }, "2 feed-forward widths for 22 layers" },
  };

  for (int i = 0; i < LAYERS; i++)
    all[i] = i;
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused ("gemma3n-tiny", QUANTISED, &cases[i].cut, cases[i].message);
  assert_refused ("gemma3-tiny", QUANTISED, &nested_cut, "general.architecture: gemma3");
}

/* Layer 19 may go with the only one that reads its keys and values. */
static void
test_unread_source (void)
{
  static const int last_full[] = { 19, 21 };
  const FacetSubmodel cut = { last_full, 2 };
  g_autoptr (GByteArray) bytes = NULL;
  g_autoptr (FacetGguf) gguf = open_cut (QUANTISED, &cut, &bytes);
  guint32 shared = 0;

  g_assert_true (facet_gguf_get_u32 (gguf, "gemma3n.attention.shared_kv_layers", &shared));
  g_assert_cmpuint (shared, ==, 1);
}

/* A tensor of a layer that the model has not would become another's. */
static void
test_stray_tensor (void)
{
  static const char *const strays[] = { "blk.99.attn_k.weight", "blk.07.attn_k.weight", "blk.x0.attn_k.weight" };
  g_autoptr (GError) error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (strays); i++) {
    const char *unused = "blk.20.attn_k.weight";
    gsize size, length = strlen (unused), at = 0;
    g_autofree char *bytes = kit_model_bytes ("gemma3n-tiny", QUANTISED, &size), *path = NULL;
    g_autoptr (GByteArray) written = g_byte_array_new ();
    int fd = g_file_open_tmp ("facet-XXXXXX.gguf", &path, NULL);

    while (memcmp (bytes + at, unused, length) != 0)
      at++;
    memcpy (bytes + at, strays[i], length);
    g_assert_true (g_file_set_contents (path, bytes, (gssize) size, &error));
    g_close (fd, NULL);
    g_assert_false (facet_submodel_write (path, &nested_cut, append, written, &error));
    g_unlink (path);
    g_assert_error (error, FACET_ERROR, FACET_ERROR_INVALID);
    g_assert_nonnull (strstr (error->message, strays[i]));
    g_clear_error (&error);
    g_assert_cmpuint (written->len, ==, 0);
  }
}

/* A file that loses its end while it is read gives no model. */
static gboolean
cut_short (const void *data, gsize n, gpointer user_data, GError **error)
{
  g_assert_no_errno (truncate (user_data, 4096));
  return TRUE;
}

static void
test_changed (void)
{
  g_autofree char *bytes = NULL, *path = NULL;
  g_autoptr (GError) error = NULL;
  gsize size;
  int fd = g_file_open_tmp ("facet-XXXXXX.gguf", &path, &error);

  g_assert_no_error (error);
  g_close (fd, NULL);
  bytes = kit_model_bytes ("gemma3n-tiny", QUANTISED, &size);
  g_assert_true (g_file_set_contents (path, bytes, (gssize) size, &error));
  g_assert_false (facet_submodel_write (path, &nested_cut, cut_short, path, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_CHANGED);
  g_unlink (path);
}

/* ---- being stopped ---- */

typedef struct {
  FacetCancel cancel;
  guint64     written, done, total;
  gboolean    full;   /* fails instead of being stopped */
} Stop;

static gboolean
count_until_half (const void *data, gsize n, gpointer user_data, GError **error)
{
  Stop *stop = user_data;

  stop->written += n;
  if (stop->written < 1 << 20)
    return TRUE;
  if (stop->full) {
    g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC, "no space is left");
    return FALSE;
  }
  facet_cancel (&stop->cancel);
  return TRUE;
}

static void
see_progress (FacetPhase phase, guint64 done, guint64 total, gpointer user_data)
{
  Stop *stop = user_data;

  g_assert_cmpint (phase, ==, FACET_PHASE_WRITE);
  g_assert_cmpuint (done, >, stop->done);
  if (total > 0)
    g_assert_cmpuint (done, <=, total);
  stop->done = done;
  stop->total = total;
}

static void
test_stop (void)
{
  for (int full = 0; full < 2; full++) {
    Stop stop = { .full = full };
    FacetSubmodel cut = { without_shared, 1, narrow, 1, &stop.cancel, see_progress, &stop };
    g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "models", "gemma3n-tiny", QUANTISED, NULL);
    g_autoptr (GError) error = NULL;

    g_assert_false (facet_submodel_write (path, &cut, count_until_half, &stop, &error));
    if (full)
      g_assert_error (error, G_FILE_ERROR, G_FILE_ERROR_NOSPC);
    else
      g_assert_error (error, FACET_ERROR, FACET_ERROR_CANCELLED);
    g_assert_cmpuint (stop.written, <, (1 << 20) + (1 << 19));
  }
}

static gboolean
count_bytes (const void *data, gsize n, gpointer user_data, GError **error)
{
  ((Stop *) user_data)->written += n;
  return TRUE;
}

static void
test_progress (void)
{
  Stop stop = { .written = 0 };
  const FacetSubmodel cut = { without_shared, 1, narrow, 1, NULL, see_progress, &stop };
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "models", "gemma3n-tiny", QUANTISED, NULL);
  g_autoptr (GError) error = NULL;

  facet_submodel_write (path, &cut, count_bytes, &stop, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (stop.done, ==, stop.written);
  g_assert_cmpuint (stop.total, ==, stop.written);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (device_missing ())
    return TEST_SKIPPED;
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *path = g_strdup_printf ("/submodel/%s/%s/%s", rows[i].name, rows[i].prompt, rows[i].type);

    /* Software devices take their time: each cut, prompt and type once. */
    if (device_is_gpu () && !rows[i].on_devices)
      continue;
    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_logits);
  }
  /* The rest computes nothing. */
  if (device_is_gpu ())
    return g_test_run ();
  g_test_add_func ("/submodel/whole", test_whole);
  g_test_add_func ("/submodel/again", test_again);
  g_test_add_func ("/submodel/refused", test_refused);
  g_test_add_func ("/submodel/unread-source", test_unread_source);
  g_test_add_func ("/submodel/stray-tensor", test_stray_tensor);
  g_test_add_func ("/submodel/changed", test_changed);
  g_test_add_func ("/submodel/stop", test_stop);
  g_test_add_func ("/submodel/progress", test_progress);
  return g_test_run ();
}
