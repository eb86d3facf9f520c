/* Every operation as a shader against the reference kernels: small graphs run
 * on both. Sums are taken in another order there, hence the tolerances. */
#include "backend/vulkan/vk.h"
#include "device.h"
#include "models/family.h"
#include "random.h"

#include <glib/gstdio.h>

#include <math.h>
#include <string.h>
#include <utime.h>

#define MAX_INPUTS 4

typedef struct {
  FacetBackend *cpu, *gpu;
  GRand        *rand;
  FacetGraph   *graph;
  float        *inputs[MAX_INPUTS];
  int           n_inputs;
  GPtrArray    *memory;   /* of tensors */
} Bench;

static Bench bench;

static void
setup (void)
{
  bench = (Bench) { .cpu = facet_cpu_backend_new (1, TRUE), .gpu = device_backend (1, TRUE), .rand = g_rand_new_with_seed (7) };
  bench.memory = g_ptr_array_new_with_free_func (g_free);
}

static void
teardown (void)
{
  bench.cpu->klass->free (bench.cpu);
  bench.gpu->klass->free (bench.gpu);
  g_rand_free (bench.rand);
  g_ptr_array_unref (bench.memory);
}

static void
begin (void)
{
  bench.graph = facet_graph_new ();
  bench.n_inputs = 0;
}

static int
input (int rows, int at_most, int cols)
{
  float *x = g_new (float, (gsize) at_most * cols);

  fill_floats (bench.rand, FILL_NORMAL, x, (gsize) at_most * cols);
  bench.inputs[bench.n_inputs] = x;
  return facet_g_input (bench.graph, bench.n_inputs++, rows, cols);
}

static const FacetTensor *
tensor (const TestType *type, Fill fill, gint64 cols, gint64 rows, gint64 slices)
{
  FacetTensor *t = g_new0 (FacetTensor, 1);
  gsize elements = (gsize) (cols * rows * slices);

  t->name = type->name;
  t->dtype = type->dtype;
  t->ne[0] = cols;
  t->ne[1] = rows;
  t->ne[2] = slices;
  t->ne[3] = 1;
  t->bytes = elements / type->block * type->bytes;
  t->data = g_malloc (t->bytes);
  fill_weights (bench.rand, fill, type, (guint8 *) t->data, elements);
  g_ptr_array_add (bench.memory, t);
  g_ptr_array_add (bench.memory, (gpointer) t->data);
  return t;
}

static const FacetTensor *
floats (gint64 cols, gint64 rows)
{
  return tensor (&test_types[0], FILL_NORMAL, cols, rows, 1);
}

/* Compiled anew, so that nothing is left of other steps. */
static float *
run (FacetBackend *backend, FacetKv *kv, FacetStep *step, int max_rows, int max_outputs)
{
  g_autoptr (GError) error = NULL;
  FacetPlan *plan = backend->klass->compile (backend, bench.graph, kv, max_rows, max_outputs, &error);
  const FacetNode *result = facet_graph_node (bench.graph, facet_graph_result (bench.graph));
  gsize rows = (gsize) (result->rows == FACET_ROWS_TOKENS ? step->n : result->rows == FACET_ROWS_OUTPUTS ? step->n_outputs : result->rows);
  float *copy, *first;

  g_assert_no_error (error);
  step->inputs = (const float *const *) bench.inputs;
  g_assert_true (backend->klass->run (plan, step, NULL, &error));
  first = g_memdup2 (backend->klass->value (plan, facet_graph_result (bench.graph)), rows * result->cols * sizeof (float));
  g_assert_true (backend->klass->run (plan, step, NULL, &error));
  copy = g_memdup2 (backend->klass->value (plan, facet_graph_result (bench.graph)), rows * result->cols * sizeof (float));
  g_assert_cmpmem (first, rows * result->cols * sizeof (float), copy, rows * result->cols * sizeof (float));
  backend->klass->plan_free (plan);
  g_free (first);
  return copy;
}

static void
compare (const char *what, int n_rows, int result, double tolerance)
{
  const FacetNode *node = facet_graph_node (bench.graph, result);
  gint32 outputs[] = { 0 };
  FacetStep step = { .n = n_rows, .position = 5, .outputs = outputs, .n_outputs = 1 };
  gsize n = (gsize) (node->rows == FACET_ROWS_TOKENS ? n_rows : node->rows == FACET_ROWS_OUTPUTS ? 1 : node->rows) * node->cols;
  g_autofree float *expected = NULL, *found = NULL;
  double scale = 0;

  facet_graph_set_result (bench.graph, result);
  expected = run (bench.cpu, NULL, &step, MAX (n_rows, 1), 1);
  found = run (bench.gpu, NULL, &step, MAX (n_rows, 1), 1);
  for (gsize i = 0; i < n; i++)
    scale = fmax (scale, fabs ((double) expected[i]));
  for (gsize i = 0; i < n; i++)
    if (!(fabs ((double) found[i] - (double) expected[i]) <= tolerance * scale + 1e-30))
      g_error ("%s, %d rows: element %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " is %.9g instead of %.9g", what, n_rows, i, n,
               (double) found[i], (double) expected[i]);
  g_clear_pointer (&bench.graph, facet_graph_free);
  for (int i = 0; i < bench.n_inputs; i++)
    g_clear_pointer (&bench.inputs[i], g_free);
}

/* ---- products ---- */

static void
test_matmul (gconstpointer data)
{
  const TestType *type = data;
  const int rows[] = { 1, 3, 7, 65 }, columns[] = { 1, 5, 67 };
  const int k[] = { 32, 100, 256, 640, 768 };

  setup ();
  for (guint r = 0; r < G_N_ELEMENTS (rows); r++)
    for (guint m = 0; m < G_N_ELEMENTS (columns); m++)
      for (guint i = 0; i < G_N_ELEMENTS (k); i++) {
        Fill fill = (Fill) ((r + m + i) % (FILL_LARGE + 1));
        int x, y;

        if (k[i] % type->block != 0)
          continue;
        begin ();
        x = input (FACET_ROWS_TOKENS, rows[r], k[i]);
        y = facet_g_matmul (bench.graph, x, tensor (type, fill, k[i], columns[m], 1), fill == FILL_ZERO ? floats (columns[m], 1) : NULL);
        compare (type->name, rows[r], y, 1e-5);
      }
  for (int r = 1; r < 100; r += 66) {
    int x, gate, up;

    begin ();
    x = input (FACET_ROWS_TOKENS, r, 512);
    gate = facet_g_matmul (bench.graph, x, tensor (type, FILL_NORMAL, 512, 67, 1), NULL);
    up = facet_g_matmul (bench.graph, x, tensor (type, FILL_NORMAL, 512, 67, 1), NULL);
    compare ("gated", r, facet_g_geglu (bench.graph, gate, up), 2e-5);
  }
  teardown ();
}

/* A binding that covers few rows cuts matrices into parts; device memory that
 * the host does not see takes the ring of stages. */
static void
test_parts (void)
{
  FacetVk *vk;

  setup ();
  vk = (FacetVk *) bench.gpu;
  vk->limits.range = 16384;
  vk->hides_memory = TRUE;
  for (int t = 0; t < N_TEST_TYPES; t += 4) {
    int x;

    begin ();
    x = input (FACET_ROWS_TOKENS, 6, 512);
    compare ("parts", 6, facet_g_matmul (bench.graph, x, tensor (&test_types[t], FILL_NORMAL, 512, 333, 1), floats (333, 1)), 1e-5);
    begin ();
    compare ("table in parts", 1, facet_g_table (bench.graph, tensor (&test_types[t], FILL_NORMAL, 512, 7, 1)), 1e-6);
  }
  teardown ();
}

static void
test_upload (void)
{
  const FacetTensor *large;
  int x;

  setup ();
  ((FacetVk *) bench.gpu)->hides_memory = TRUE;
  begin ();
  /* More than both stages. */
  large = tensor (&test_types[7], FILL_NORMAL, 1024, 40000, 1);
  x = input (FACET_ROWS_TOKENS, 1, 1024);
  compare ("upload", 1, facet_g_matmul (bench.graph, x, large, NULL), 1e-5);
  teardown ();
}

static void
test_experts (gconstpointer data)
{
  const TestType *type = data;
  const FacetTensor *both;
  FacetTensor gate, up;

  setup ();
  both = tensor (type, FILL_NORMAL, 256, 2 * 24, 6);
  gate = up = *both;
  gate.ne[1] = up.ne[1] = 24;
  up.data = (const guint8 *) both->data + 24 * (256 / type->block * type->bytes);
  for (int rows = 1; rows < 50; rows += 40) {
    int x, route;

    begin ();
    x = input (FACET_ROWS_TOKENS, rows, 256);
    route = facet_g_route (bench.graph, input (FACET_ROWS_TOKENS, rows, 6), 3, floats (6, 1));
    compare ("experts up, one tensor", rows, facet_g_experts_up (bench.graph, x, route, &gate, &up, 48), 2e-5);
    begin ();
    x = input (FACET_ROWS_TOKENS, rows, 256);
    route = facet_g_route (bench.graph, input (FACET_ROWS_TOKENS, rows, 6), 3, NULL);
    compare ("experts up, two tensors", rows,
             facet_g_experts_up (bench.graph, x, route, tensor (type, FILL_NORMAL, 256, 24, 6), tensor (type, FILL_NORMAL, 256, 24, 6), 24), 2e-5);
    begin ();
    x = input (FACET_ROWS_TOKENS, rows, 3 * 256);
    route = facet_g_route (bench.graph, input (FACET_ROWS_TOKENS, rows, 6), 3, NULL);
    compare ("experts down", rows, facet_g_experts_down (bench.graph, x, route, tensor (type, FILL_NORMAL, 256, 33, 6)), 2e-5);
  }
  teardown ();
}

/* ---- rows ---- */

static void
check_columns (int rows, int cols)
{
  FacetGraph *g;
  int x, y, z;

#define CHECK(name, tolerance, expression)            \
  begin ();                                           \
  g = bench.graph;                                    \
  x = input (FACET_ROWS_TOKENS, rows, cols);          \
  y = input (FACET_ROWS_TOKENS, rows, cols);          \
  compare (name, rows, expression, tolerance)

  CHECK ("add", 0, facet_g_add (g, x, y));
  CHECK ("mul", 0, facet_g_mul (g, x, y));
  CHECK ("add row", 0, facet_g_add (g, x, facet_g_table (g, floats (cols, 1))));
  CHECK ("scale", 0, facet_g_scale (g, x, 0.37f));
  CHECK ("gelu", 2e-6, facet_g_gelu (g, x));
  CHECK ("geglu", 2e-6, facet_g_geglu (g, x, y));
  CHECK ("softcap", 2e-6, facet_g_softcap (g, x, 0.5f));
  CHECK ("relu", 0, facet_g_relu (g, x));
  CHECK ("silu", 2e-6, facet_g_silu (g, x));
  CHECK ("clamp", 0, facet_g_clamp (g, x, -0.5f, 0.7f));
  CHECK ("rms norm", 2e-6, facet_g_rms_norm (g, x, floats (cols, 1), cols, 1e-6f));
  CHECK ("rms norm without gain", 2e-6, facet_g_rms_norm (g, x, NULL, cols, 1e-6f));
  CHECK ("layer norm", 3e-6, facet_g_layer_norm (g, x, floats (cols, 1), floats (cols, 1), 1e-6f));
  CHECK ("match rms", 2e-6, facet_g_match_rms (g, x, y));
  CHECK ("gaussian top k", 3e-6, facet_g_gaussian_topk (g, x, 0.8f));
  CHECK ("concat", 0, facet_g_concat (g, x, y));
  CHECK ("columns", 0, facet_g_columns (g, x, cols / 3, cols - cols / 3));
  CHECK ("outputs", 0, facet_g_outputs (g, x));
  CHECK ("causal convolution", 2e-6, facet_g_causal_conv (g, x, floats (cols, 5)));
#undef CHECK
  if (cols % 2 == 0) {
    FacetRope rope = { .base = 1e4f, .scale = 0.5f, .head = cols };

    begin ();
    x = input (FACET_ROWS_TOKENS, rows, 3 * cols);
    compare ("rope", rows, facet_g_rope (bench.graph, x, &rope), 1e-6);
    begin ();
    x = input (FACET_ROWS_TOKENS, rows, 4 * cols);
    y = input (FACET_ROWS_TOKENS, rows, 2 * cols);
    compare ("rotate", rows, facet_g_rotate (bench.graph, x, y, cols), 1e-6);
    begin ();
    x = input (FACET_ROWS_TOKENS, rows, cols);
    compare ("glu", rows, facet_g_glu (bench.graph, x), 2e-6);
    begin ();
    x = input (FACET_ROWS_TOKENS, rows, cols);
    compare ("norm of groups", rows, facet_g_rms_norm (bench.graph, x, floats (cols / 2, 1), cols / 2, 1e-6f), 2e-6);
  }
  begin ();
  x = input (FACET_ROWS_TOKENS, rows, 4 * cols);
  y = input (FACET_ROWS_TOKENS, rows, 16);
  compare ("altup predict", rows, facet_g_altup_predict (bench.graph, x, y, 4), 1e-6);
  begin ();
  x = input (FACET_ROWS_TOKENS, rows, 4 * cols);
  y = input (FACET_ROWS_TOKENS, rows, cols);
  z = input (FACET_ROWS_TOKENS, rows, 4);
  compare ("altup correct", rows, facet_g_altup_correct (bench.graph, x, y, z, 1), 1e-6);
  begin ();
  x = input (FACET_ROWS_TOKENS, rows, 4 * cols);
  y = input (FACET_ROWS_TOKENS, rows, cols);
  compare ("altup inject", rows, facet_g_altup_inject (bench.graph, x, y), 0);
}

static void
test_rows (void)
{
  const int columns[] = { 2, 7, 64, 255, 640 };

  setup ();
  for (guint i = 0; i < G_N_ELEMENTS (columns); i++)
    for (int rows = 1; rows < 20; rows += 9)
      check_columns (rows, columns[i]);
  teardown ();
}

/* Of encoders: rows are places of a map, or times. */
static void
test_maps (void)
{
  FacetGraph *g;
  int x, q, k, v;

  setup ();
  begin ();
  compare ("pool", 1, facet_g_pool (bench.graph, input (12 * 20, 240, 33), 12, 20, 4), 1e-6);
  begin ();
  x = input (13 * 7, 91, 5);
  compare ("patches", 1, facet_g_patches (bench.graph, x, 13, 7, 1), 0);
  begin ();
  x = input (30, 30, 14);
  compare ("reshape and every", 1, facet_g_every (bench.graph, facet_g_reshape (bench.graph, x, 42, 10), 4), 0);
  begin ();
  x = input (9 * 5, 45, 30);
  compare ("upsample", 1, facet_g_upsample (bench.graph, x, 9, 5, 3), 0);
  for (int stride = 1; stride < 3; stride++)
    for (int t = 0; t < 3; t++) {
      begin ();
      x = input (14 * 11, 154, 6);
      compare ("convolution", 1, facet_g_conv (bench.graph, x, 14, 11, 3, stride, tensor (&test_types[t], FILL_NORMAL, 54, 70, 1), floats (70, 1)), 1e-5);
      begin ();
      x = input (14 * 11, 154, 33);
      compare ("by channel", 1, facet_g_depthwise (bench.graph, x, 14, 11, 3 + 2 * (t % 2), stride, floats (33, (3 + 2 * (t % 2)) * (3 + 2 * (t % 2)))), 2e-6);
    }
  begin ();
  compare ("two tables", 1, facet_g_table_2d (bench.graph, floats (36, 9), floats (36, 11), 10, 8), 1e-7);
  begin ();
  x = input (4 * 300, 1200, 16);
  compare ("cumulative norm", 1, facet_g_cum_norm (bench.graph, x, 4, floats (16, 1), 1e-3f), 1e-5);
  begin ();
  g = bench.graph;
  q = input (50, 50, 24);
  k = input (50, 50, 24);
  v = input (50, 50, 24);
  compare ("local attention", 1, facet_g_local_attention (g, q, k, v, input (13, 13, 24), 3, 50.f), 3e-6);
  for (int head = 8; head <= 72; head += 64) {
    FacetAttention at = { .cache = -1, .n_head = 3, .n_kv = 3, .head_k = head, .head_v = head, .scale = 0.3f };

    begin ();
    q = input (70, 70, 3 * head);
    k = input (70, 70, 3 * head);
    v = input (70, 70, 3 * head);
    compare ("attention to all", 1, facet_g_attention (bench.graph, q, k, v, &at), 1e-5);
  }
  teardown ();
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
  FacetBackend *both[] = { bench.cpu, bench.gpu };
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
    begin ();
    q = input (FACET_ROWS_TOKENS, n, c->n_head * c->head);
    k = input (FACET_ROWS_TOKENS, n, c->n_kv * c->head);
    v = input (FACET_ROWS_TOKENS, n, c->n_kv * c->head);
    facet_g_kv_store (bench.graph, k, v, 0);
    facet_graph_set_result (bench.graph, facet_g_attention (bench.graph, q, -1, -1, &at));
    expected = run (bench.cpu, kv[0], &step, n, 1);
    found = run (bench.gpu, kv[1], &step, n, 1);
    for (int e = 0; e < n * c->n_head * c->head; e++)
      if (!(fabs ((double) found[e] - (double) expected[e]) <= 2e-5))
        g_error ("cache type %d, head %d, window %d: row %d of %d at %u: %.9g instead of %.9g", c->type, c->head, c->window,
                 e / (c->n_head * c->head), n, position, (double) found[e], (double) expected[e]);
    g_clear_pointer (&bench.graph, facet_graph_free);
    for (int j = 0; j < bench.n_inputs; j++)
      g_clear_pointer (&bench.inputs[j], g_free);
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

  setup ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    check_cache (&cases[i]);
  /* Heads that no single binding covers. */
  ((FacetVk *) bench.gpu)->limits.range = 100000;
  check_cache (&cases[1]);
  teardown ();
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
  setup ();
  klass = bench.gpu->klass;
  decoder = facet_family_for (gguf, &error)->load (gguf, &error);
  g_assert_no_error (error);
  graph = decoder->build (decoder, FACET_BUILD_NORMAL);
  kv = klass->kv_new (bench.gpu, decoder->kv_layers, decoder->n_kv_layers, 256, 1, FACET_KV_F16, &error);
  plan = klass->compile (bench.gpu, graph, kv, 1, 1, &error);
  g_assert_no_error (error);
  for (int i = 0; i < 8; i++) {
    gint32 id = 2 + i;
    FacetStep step = { .n = 1, .position = i, .ids = &id, .outputs = (const gint32[]) { 0 }, .n_outputs = 1 };
    gint64 driver = ((FacetVk *) bench.gpu)->driver_us, start = g_get_monotonic_time ();

    g_assert_true (klass->run (plan, &step, NULL, &error));
    best = MIN (best, g_get_monotonic_time () - start - (((FacetVk *) bench.gpu)->driver_us - driver));
  }
  g_test_message ("%" G_GINT64_FORMAT " us a token on the host, %" G_GSIZE_FORMAT " KiB of activations", best, klass->plan_bytes (plan) >> 10);
  g_assert_cmpint (best, <, 50);
  klass->plan_free (plan);
  klass->kv_free (kv);
  facet_graph_free (graph);
  teardown ();
  decoder->free (decoder);
}

/* A device that computes wrongly is not trusted, and that is remembered. */
static void
test_self_test (void)
{
  g_autofree char *path = NULL;
  g_autoptr (GError) error = NULL;
  FacetVk *vk;

  setup ();
  vk = (FacetVk *) bench.gpu;
  g_free (vk->cache_key);
  vk->cache_key = g_strdup_printf ("test-%d", g_random_int ());
  path = facet_vk_cache_file (vk->cache_key, ".verdict");
  g_assert_true (facet_vk_trust (vk, &error));
  g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS));
  vk->lost = TRUE; /* asked again it would fail now */
  g_assert_true (facet_vk_trust (vk, &error));
  g_assert_true (g_file_set_contents (path, "Q4_K of 9 rows disagree with the reference\n", -1, NULL));
  g_assert_false (facet_vk_trust (vk, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_DEVICE);
  g_assert_nonnull (strstr (error->message, "Q4_K"));
  g_assert_cmpint (g_unlink (path), ==, 0);
  teardown ();
}

/* Its file is written, read again, and of no harm when it is damaged. */
static void
test_pipeline_cache (void)
{
  g_autofree char *folder = g_build_filename (g_get_user_cache_dir (), "facet", "vulkan", NULL), *path = NULL, *bytes = NULL;
  gsize size;

  for (int round = 0; round < 3; round++) {
    g_autofree char *name = NULL;

    setup ();
    name = g_strconcat (((FacetVk *) bench.gpu)->cache_key, ".bin", NULL);
    begin ();
    compare ("with a cache", 1, facet_g_relu (bench.graph, input (FACET_ROWS_TOKENS, 1, 64)), 0);
    teardown ();
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
  setup ();
  ((FacetVk *) bench.gpu)->cache_is_new = TRUE;
  teardown ();
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

/* A head that no work group can hold is refused when the plan is made. */
static void
test_refused (void)
{
  FacetAttention at = { .cache = -1, .n_head = 1, .n_kv = 1, .head_k = 520, .head_v = 520, .scale = 1 };
  g_autoptr (GError) error = NULL;
  int x;

  setup ();
  begin ();
  x = input (4, 4, 520);
  facet_graph_set_result (bench.graph, facet_g_attention (bench.graph, x, x, x, &at));
  g_assert_false (bench.gpu->klass->supports (bench.gpu, bench.graph, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED);
  g_clear_error (&error);
  g_assert_null (bench.gpu->klass->compile (bench.gpu, bench.graph, NULL, 1, 1, &error));
  g_assert_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED);
  facet_graph_free (bench.graph);
  g_free (bench.inputs[0]);
  teardown ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("FACET_TEST_BACKEND", "vulkan", TRUE);
  if (device_missing ())
    return TEST_SKIPPED;
  for (int t = 0; t < N_TEST_TYPES; t++) {
    g_autofree char *matmul = g_strdup_printf ("/vulkan/matmul/%s", test_types[t].name);
    g_autofree char *experts = g_strdup_printf ("/vulkan/experts/%s", test_types[t].name);

    g_test_add_data_func (matmul, &test_types[t], test_matmul);
    g_test_add_data_func (experts, &test_types[t], test_experts);
  }
  g_test_add_func ("/vulkan/parts", test_parts);
  g_test_add_func ("/vulkan/upload", test_upload);
  g_test_add_func ("/vulkan/rows", test_rows);
  g_test_add_func ("/vulkan/maps", test_maps);
  g_test_add_func ("/vulkan/cache", test_cache);
  g_test_add_func ("/vulkan/refused", test_refused);
  g_test_add_func ("/vulkan/host-time", test_host_time);
  g_test_add_func ("/vulkan/pipeline-cache", test_pipeline_cache);
  g_test_add_func ("/vulkan/old-caches", test_old_caches);
  g_test_add_func ("/vulkan/self-test", test_self_test);
  return g_test_run ();
}
