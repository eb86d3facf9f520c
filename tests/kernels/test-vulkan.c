/* Operations as shaders against the reference kernels: small graphs run
 * on both. Sums are taken in another order there, hence the tolerances. */
#include "backend/vulkan/fault.h"
#include "beside.h"
#include "device.h"
#include "models/family.h"

#include <glib/gstdio.h>

#include <math.h>
#include <string.h>
#include <utime.h>

/* ---- rows ---- */

static void
check_columns (int rows, int cols)
{
  FacetGraph *g;
  int x, y, z;

#define CHECK(name, tolerance, expression)            \
  beside_begin ();                                           \
  g = beside.graph;                                    \
  x = beside_input (FACET_ROWS_TOKENS, rows, cols);          \
  y = beside_input (FACET_ROWS_TOKENS, rows, cols);          \
  beside_compare (name, rows, expression, tolerance)

  CHECK ("add", 0, facet_g_add (g, x, y));
  CHECK ("mul", 0, facet_g_mul (g, x, y));
  CHECK ("add row", 0, facet_g_add (g, x, facet_g_table (g, beside_floats (cols, 1))));
  CHECK ("scale", 0, facet_g_scale (g, x, 0.37f));
  CHECK ("gelu", 2e-6, facet_g_gelu (g, x));
  CHECK ("geglu", 2e-6, facet_g_geglu (g, x, y));
  CHECK ("softcap", 2e-6, facet_g_softcap (g, x, 0.5f));
  CHECK ("relu", 0, facet_g_relu (g, x));
  CHECK ("silu", 2e-6, facet_g_silu (g, x));
  CHECK ("clamp", 0, facet_g_clamp (g, x, -0.5f, 0.7f));
  CHECK ("rms norm", 2e-6, facet_g_rms_norm (g, x, beside_floats (cols, 1), cols, 1e-6f));
  CHECK ("rms norm without gain", 2e-6, facet_g_rms_norm (g, x, NULL, cols, 1e-6f));
  CHECK ("layer norm", 3e-6, facet_g_layer_norm (g, x, beside_floats (cols, 1), beside_floats (cols, 1), 1e-6f));
  CHECK ("match rms", 2e-6, facet_g_match_rms (g, x, y));
  CHECK ("gaussian top k", 3e-6, facet_g_gaussian_topk (g, x, 0.8f));
  CHECK ("concat", 0, facet_g_concat (g, x, y));
  CHECK ("columns", 0, facet_g_columns (g, x, cols / 3, cols - cols / 3));
  CHECK ("outputs", 0, facet_g_outputs (g, x));
  CHECK ("causal convolution", 2e-6, facet_g_causal_conv (g, x, beside_floats (cols, 5)));
#undef CHECK
  if (cols % 2 == 0) {
    FacetRope rope = { .base = 1e4f, .scale = 0.5f, .head = cols };

    beside_begin ();
    x = beside_input (FACET_ROWS_TOKENS, rows, 3 * cols);
    beside_compare ("rope", rows, facet_g_rope (beside.graph, x, &rope), 1e-6);
    beside_begin ();
    x = beside_input (FACET_ROWS_TOKENS, rows, 4 * cols);
    y = beside_input (FACET_ROWS_TOKENS, rows, 2 * cols);
    beside_compare ("rotate", rows, facet_g_rotate (beside.graph, x, y, cols), 1e-6);
    beside_begin ();
    x = beside_input (FACET_ROWS_TOKENS, rows, cols);
    beside_compare ("glu", rows, facet_g_glu (beside.graph, x), 2e-6);
    beside_begin ();
    x = beside_input (FACET_ROWS_TOKENS, rows, cols);
    beside_compare ("norm of groups", rows, facet_g_rms_norm (beside.graph, x, beside_floats (cols / 2, 1), cols / 2, 1e-6f), 2e-6);
  }
  beside_begin ();
  x = beside_input (FACET_ROWS_TOKENS, rows, 4 * cols);
  y = beside_input (FACET_ROWS_TOKENS, rows, 16);
  beside_compare ("altup predict", rows, facet_g_altup_predict (beside.graph, x, y, 4), 1e-6);
  beside_begin ();
  x = beside_input (FACET_ROWS_TOKENS, rows, 4 * cols);
  y = beside_input (FACET_ROWS_TOKENS, rows, cols);
  z = beside_input (FACET_ROWS_TOKENS, rows, 4);
  beside_compare ("altup correct", rows, facet_g_altup_correct (beside.graph, x, y, z, 1), 1e-6);
  beside_begin ();
  x = beside_input (FACET_ROWS_TOKENS, rows, 4 * cols);
  y = beside_input (FACET_ROWS_TOKENS, rows, cols);
  beside_compare ("altup inject", rows, facet_g_altup_inject (beside.graph, x, y), 0);
}

static void
test_rows (void)
{
  const int columns[] = { 2, 7, 64, 255, 640 };

  beside_setup ();
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    for (int rows = 1; rows < 20; rows += 9)
      check_columns (rows, columns[i]);
  beside_teardown ();
}

/* Norms and sums between products: blocks as decoders have them, with and
 * without readers of the sum, and products that read rounded rows. */
static void
check_chain (int rows, int cols, FacetVkTier tier)
{
  const TestType *type = &test_types[tier == FACET_VK_DOT ? 7 : 0];
  FacetGraph *g;
  int h, x, y;

  beside_setup_tier (tier);
  for (int again = 0; again < 3; again++) {
    beside_begin ();
    g = beside.graph;
    h = beside_input (FACET_ROWS_TOKENS, rows, cols);
    x = beside_input (FACET_ROWS_TOKENS, rows, cols);
    y = facet_g_rms_norm (g, x, again == 1 ? NULL : beside_floats (cols, 1), cols, 1e-6f);
    y = again == 1 ? facet_g_add (g, y, h) : facet_g_add (g, h, y);
    if (again > 0) {
      x = facet_g_rms_norm (g, y, again == 2 ? NULL : beside_floats (cols, 1), cols, 1e-5f);
      if (cols % type->block == 0)
        x = facet_g_matmul (g, x, beside_tensor (type, FILL_NORMAL, cols, cols, 1), NULL);
      y = again == 1 ? x : facet_g_add (g, x, y);
    }
    beside_compare ("chain", rows, y, 3e-5);
  }
  beside_teardown ();
}

static void
test_chain (void)
{
  const int columns[] = { 4, 64, 100, 640, 2560 };

  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    for (int rows = 1; rows < 20; rows += 9) {
      check_chain (rows, columns[i], FACET_VK_SCALAR);
      check_chain (rows, columns[i], FACET_VK_DOT);
    }
}

/* Of encoders: rows are places of a map, or times. */
static void
test_maps (void)
{
  FacetGraph *g;
  int x, q, k, v;

  beside_setup ();
  beside_begin ();
  beside_compare ("pool", 1, facet_g_pool (beside.graph, beside_input (12 * 20, 240, 33), 12, 20, 4), 1e-6);
  beside_begin ();
  x = beside_input (13 * 7, 91, 5);
  beside_compare ("patches", 1, facet_g_patches (beside.graph, x, 13, 7, 1), 0);
  beside_begin ();
  x = beside_input (30, 30, 14);
  beside_compare ("reshape and every", 1, facet_g_every (beside.graph, facet_g_reshape (beside.graph, x, 42, 10), 4), 0);
  beside_begin ();
  x = beside_input (9 * 5, 45, 30);
  beside_compare ("upsample", 1, facet_g_upsample (beside.graph, x, 9, 5, 3), 0);
  for (int stride = 1; stride < 3; stride++)
    for (int t = 0; t < 3; t++) {
      beside_begin ();
      x = beside_input (14 * 11, 154, 6);
      beside_compare ("convolution", 1, facet_g_conv (beside.graph, x, 14, 11, 3, stride, beside_tensor (&test_types[t], FILL_NORMAL, 54, 70, 1), beside_floats (70, 1)), 1e-5);
      beside_begin ();
      x = beside_input (14 * 11, 154, 33);
      beside_compare ("by channel", 1, facet_g_depthwise (beside.graph, x, 14, 11, 3 + 2 * (t % 2), stride, beside_floats (33, (3 + 2 * (t % 2)) * (3 + 2 * (t % 2)))), 2e-6);
    }
  beside_begin ();
  beside_compare ("two tables", 1, facet_g_table_2d (beside.graph, beside_floats (36, 9), beside_floats (36, 11), 10, 8), 1e-7);
  beside_begin ();
  x = beside_input (4 * 300, 1200, 16);
  beside_compare ("cumulative norm", 1, facet_g_cum_norm (beside.graph, x, 4, beside_floats (16, 1), 1e-3f), 1e-5);
  beside_begin ();
  g = beside.graph;
  q = beside_input (50, 50, 24);
  k = beside_input (50, 50, 24);
  v = beside_input (50, 50, 24);
  beside_compare ("local attention", 1, facet_g_local_attention (g, q, k, v, beside_input (13, 13, 24), 3, 50.f), 3e-6);
  for (int head = 8; head <= 72; head += 64) {
    FacetAttention at = { .cache = -1, .n_head = 3, .n_kv = 3, .head_k = head, .head_v = head, .scale = 0.3f };

    beside_begin ();
    q = beside_input (70, 70, 3 * head);
    k = beside_input (70, 70, 3 * head);
    v = beside_input (70, 70, 3 * head);
    beside_compare ("attention to all", 1, facet_g_attention (beside.graph, q, k, v, &at), 1e-5);
  }
  beside_teardown ();
}

/* ---- the cache ---- */

typedef struct {
  FacetKvType type;
  int         head, n_head, n_kv, window;
  float       softcap;
  gboolean    spans;
} CacheCase;

/* Steps of several lengths and single rows, past the ring's end. */
static void
check_cache (const CacheCase *c)
{
  const int lengths[] = { 1, 13, 37, 1, 1, 30, 2, 60, 1, 50, 60, 1, 3 };
  FacetAttention at = { .cache = 0, .n_head = c->n_head, .n_kv = c->n_kv, .head_k = c->head, .head_v = c->head, .window = c->window,
                        .scale = 0.2f, .softcap = c->softcap, .causal = TRUE, .spans = c->spans };
  FacetKvLayer layer = { .n_kv = c->n_kv, .head_k = c->head, .head_v = c->head, .window = c->window };
  FacetBackend *both[] = { beside.cpu, beside.gpu };
  FacetKv *kv[2];

  for (int b = 0; b < 2; b++)
    kv[b] = both[b]->klass->kv_new (both[b], &layer, 1, 600, 60, c->type, NULL);
  for (guint i = 0, position = 0; i < G_N_ELEMENTS (lengths); position += lengths[i++]) {
    int n = lengths[i], q, k, v;
    g_autofree gint32 *visible = g_new (gint32, n);
    FacetStep step = { .n = n, .position = (int) position, .visible = visible };
    g_autofree float *expected = NULL, *found = NULL;

    for (int r = 0; r < n; r++)
      visible[r] = (gint32) position + (c->spans ? n - 1 : r);
    beside_begin ();
    q = beside_input (FACET_ROWS_TOKENS, n, c->n_head * c->head);
    k = beside_input (FACET_ROWS_TOKENS, n, c->n_kv * c->head);
    v = beside_input (FACET_ROWS_TOKENS, n, c->n_kv * c->head);
    facet_g_kv_store (beside.graph, k, v, 0);
    facet_graph_set_result (beside.graph, facet_g_attention (beside.graph, q, -1, -1, &at));
    expected = beside_run (beside.cpu, kv[0], &step, n, 1);
    found = beside_run (beside.gpu, kv[1], &step, n, 1);
    for (int e = 0; e < n * c->n_head * c->head; e++)
      if (!(fabs ((double) found[e] - (double) expected[e]) <= 2e-5))
        g_error ("cache type %d, head %d, window %d: row %d of %d at %u: %.9g instead of %.9g", c->type, c->head, c->window,
                 e / (c->n_head * c->head), n, position, (double) found[e], (double) expected[e]);
    g_clear_pointer (&beside.graph, facet_graph_free);
    for (int j = 0; j < beside.n_inputs; j++)
      g_clear_pointer (&beside.inputs[j], g_free);
  }
  for (int b = 0; b < 2; b++)
    both[b]->klass->kv_free (kv[b]);
}

static void
test_cache (void)
{
  const CacheCase cases[] = {
    { FACET_KV_F32, 256, 4, 1, 0, 0, FALSE },   { FACET_KV_F16, 64, 4, 2, 0, 0, FALSE },
    { FACET_KV_Q8_0, 32, 8, 8, 0, 0, FALSE },   { FACET_KV_F32, 40, 6, 2, 24, 0, FALSE },
    { FACET_KV_F16, 256, 8, 4, 32, 20, FALSE }, { FACET_KV_F32, 32, 2, 1, 70, 0, TRUE },
    { FACET_KV_Q8_0, 64, 5, 1, 48, 0, TRUE },   { FACET_KV_F32, 512, 2, 1, 0, 0, FALSE },
  };

  beside_setup ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check_cache (&cases[i]);
  /* Heads that no single binding covers. */
  ((FacetVk *) beside.gpu)->limits.range = 100000;
  check_cache (&cases[1]);
  beside_teardown ();
}

/* ---- what surrounds the device's work ---- */

/* A token's work on the host beside submit and wait: below 50 microseconds. */
static void
test_host_time (void)
{
  const char *model = g_getenv ("FACET_TEST_MODEL");
  g_autofree char *tiny = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit/models/gemma3-tiny/text-q4_0.gguf", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) gguf = facet_gguf_open (model != NULL && g_file_test (model, G_FILE_TEST_EXISTS) ? model : tiny, &error);
  const FacetBackendClass *klass;
  FacetDecoder *decoder;
  FacetGraph *graph;
  FacetPlan *plan;
  FacetKv *kv;
  gint64 best = G_MAXINT64;

  g_assert_no_error (error);
  beside_setup ();
  klass = beside.gpu->klass;
  decoder = facet_family_for (gguf, &error)->load (gguf, &error);
  g_assert_no_error (error);
  graph = decoder->build (decoder, FACET_BUILD_NORMAL);
  kv = klass->kv_new (beside.gpu, decoder->kv_layers, decoder->n_kv_layers, 256, 1, FACET_KV_F16, &error);
  plan = klass->compile (beside.gpu, graph, kv, 1, 1, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 8; i++) {
    gint32 id = 2 + i;
    FacetStep step = { .n = 1, .position = i, .ids = &id, .outputs = (const gint32[]) { 0 }, .n_outputs = 1 };
    gint64 driver = ((FacetVk *) beside.gpu)->driver_us, start = g_get_monotonic_time ();

    g_assert_true (klass->run (plan, &step, NULL, &error));
    best = MIN (best, g_get_monotonic_time () - start - (((FacetVk *) beside.gpu)->driver_us - driver));
  }
  g_test_message ("%" G_GINT64_FORMAT " us a token on the host, %" G_GSIZE_FORMAT " KiB of activations", best, klass->plan_bytes (plan) >> 10);
  g_assert_cmpint (best, <, 50);
  klass->plan_free (plan);
  klass->kv_free (kv);
  facet_graph_free (graph);
  beside_teardown ();
  decoder->free (decoder);
}

/* Its file is written, read again, and of no harm when it is damaged. */
static void
test_pipeline_cache (void)
{
  g_autofree char *folder = g_build_filename (g_get_user_cache_dir (), "facet", "vulkan", NULL), *path = NULL, *bytes = NULL;
  gsize size;

  for (int round = 0; round < 3; round++) {
    g_autofree char *name = NULL;

    beside_setup ();
    name = g_strconcat (((FacetVk *) beside.gpu)->cache_key, ".bin", NULL);
    beside_begin ();
    beside_compare ("with a cache", 1, facet_g_relu (beside.graph, beside_input (FACET_ROWS_TOKENS, 1, 64)), 0);
    beside_teardown ();
    g_free (path);
    path = g_build_filename (folder, name, NULL);
    g_assert_true (g_file_get_contents (path, &bytes, &size, NULL));
    g_assert_cmpuint (size, >, 64);
    bytes[size - 1] ^= 1;
    if (round == 1)
      g_assert_true (g_file_set_contents (path, bytes, (gssize) size, NULL));
    g_clear_pointer (&bytes, g_free);
  }
}

/* Few of them are kept: those of drivers that are gone go first. */
static void
test_old_caches (void)
{
  g_autofree char *folder = g_build_filename (g_get_user_cache_dir (), "facet", "vulkan", NULL);
  g_autoptr (GDir) dir = NULL;
  const char *name;
  int n = 0;

  for (int i = 0; i < 12; i++) {
    g_autofree char *key = g_strdup_printf ("old-%02d", i), *bin = facet_vk_cache_file (key, ".bin"), *verdict = facet_vk_cache_file (key, ".verdict");
    struct utimbuf when = { 1000 + i, 1000 + i };

    g_assert_true (g_file_set_contents (bin, "x", 1, NULL));
    g_assert_true (g_file_set_contents (verdict, "works", -1, NULL));
    g_assert_cmpint (g_utime (bin, &when), ==, 0);
  }
  beside_setup ();
  ((FacetVk *) beside.gpu)->cache_is_new = TRUE;
  beside_teardown ();
  dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir)) != NULL) {
    n += g_str_has_suffix (name, ".bin");
    g_assert_false (g_str_has_prefix (name, "old-00"));
  }
  g_assert_cmpint (n, <=, 8);
  for (int i = 0; i < 12; i++) {
    g_autofree char *key = g_strdup_printf ("old-%02d", i), *bin = facet_vk_cache_file (key, ".bin"), *verdict = facet_vk_cache_file (key, ".verdict");

    g_unlink (bin);
    g_unlink (verdict);
  }
}

/* The layer sees what a shader reads beyond its buffer: else its silence would say nothing. */
static void
test_beyond (void)
{
  FacetStep step = { .n = 1, .outputs = (const gint32[]) { 0 }, .n_outputs = 1 };

  if (g_strcmp0 (g_getenv ("FACET_VULKAN_VALIDATE"), "gpu") != 0) {
    g_test_skip ("no checks in shaders are asked for");
    return;
  }
  if (g_test_subprocess ()) {
    beside_setup_tier (FACET_VK_SCALAR);
    beside_begin ();
    facet_graph_set_result (beside.graph,
                            facet_g_matmul (beside.graph, beside_input (FACET_ROWS_TOKENS, 1, 512), beside_tensor (&test_types[3], FILL_NORMAL, 512, 512, 1), NULL));
    /* Weights of less than five bits, taken for numbers of 16. */
    if (((FacetVk *) beside.gpu)->traits.subgroup > 0)
      facet_vk_fault_swap ("matvec-subgroup-q4_0", "matvec-subgroup-f16");
    else
      facet_vk_fault_swap ("matvec-q4_0", "matvec-f16");
    g_free (beside_run (beside.gpu, NULL, &step, 1, 1));
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*Vulkan validation: *out of bounds*");
}

/* A head that no work group can hold is refused when the plan is made. */
static void
test_refused (void)
{
  FacetAttention at = { .cache = -1, .n_head = 1, .n_kv = 1, .head_k = 520, .head_v = 520, .scale = 1 };
  g_autoptr (GError) error = NULL;
  int x;

  beside_setup ();
  beside_begin ();
  x = beside_input (4, 4, 520);
  facet_graph_set_result (beside.graph, facet_g_attention (beside.graph, x, x, x, &at));
  g_assert_false (beside.gpu->klass->supports (beside.gpu, beside.graph, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (beside.gpu->klass->compile (beside.gpu, beside.graph, NULL, 1, 1, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED);
  facet_graph_free (beside.graph);
  g_free (beside.inputs[0]);
  beside_teardown ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("FACET_TEST_BACKEND", "vulkan", TRUE);
  if (device_missing ())
    return TEST_SKIPPED;
  g_test_add_func ("/vulkan/ops/rows", test_rows);
  g_test_add_func ("/vulkan/chain", test_chain);
  g_test_add_func ("/vulkan/ops/maps", test_maps);
  g_test_add_func ("/vulkan/cache", test_cache);
  g_test_add_func ("/vulkan/refused", test_refused);
  g_test_add_func ("/vulkan/ops/beyond", test_beyond);
  g_test_add_func ("/vulkan/host-time", test_host_time);
  g_test_add_func ("/vulkan/pipeline-cache", test_pipeline_cache);
  g_test_add_func ("/vulkan/old-caches", test_old_caches);
  return g_test_run ();
}
