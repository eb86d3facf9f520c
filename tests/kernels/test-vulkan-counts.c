/* What the device's programs move and compute, as counted from their shapes:
 * exactly what small graphs need, and with the real model little more than the
 * weights. */
#include "beside.h"
#include "device.h"

#include <math.h>
#include <string.h>

#include "models/family.h"

static FacetPlan *
compile (FacetKv *kv, int result, int rows)
{
  g_autoptr (GError) error = NULL;
  FacetPlan *plan;

  facet_graph_set_result (beside.graph, result);
  plan = beside.gpu->klass->compile (beside.gpu, beside.graph, kv, rows, rows, &error);
  g_assert_no_error (error);
  return plan;
}

/* Of a step of @rows rows at @position, all kernels whose name begins with @prefix. */
static FacetKernelCount
count (FacetPlan *plan, int rows, int position, const char *prefix)
{
  g_autofree gint32 *outputs = g_new0 (gint32, rows);
  FacetStep step = { .n = rows, .position = position, .outputs = outputs, .n_outputs = 1 };
  g_autoptr (GArray) counts = g_array_new (FALSE, FALSE, sizeof (FacetKernelCount));
  FacetKernelCount sum = { 0 };

  beside.gpu->klass->count (plan, &step, counts);
  for (guint i = 0; i < counts->len; i++) {
    const FacetKernelCount *c = &g_array_index (counts, FacetKernelCount, i);

    if (!g_str_has_prefix (c->kernel, prefix))
      continue;
    g_assert_cmpfloat (c->loads, >=, c->bytes);
    sum.dispatches += c->dispatches;
    sum.bytes += c->bytes;
    sum.loads += c->loads;
    sum.flops += c->flops;
    sum.necessary_bytes += c->necessary_bytes;
    sum.necessary_flops += c->necessary_flops;
  }
  return sum;
}

static void
end_case (FacetPlan *plan)
{
  beside.gpu->klass->plan_free (plan);
  g_clear_pointer (&beside.graph, facet_graph_free);
  for (int i = 0; i < beside.n_inputs; i++)
    g_clear_pointer (&beside.inputs[i], g_free);
}

/* Weights, inputs and outputs once; tiles are computed whole. */
static void
test_products (void)
{
  const int k = 640, m = 1000, row_counts[] = { 1, 3, 70, 100 };

  beside_setup ();
  for (guint i = 0; i < G_N_ELEMENTS (row_counts); i++) {
    int rows = row_counts[i], x;
    const FacetTensor *w = beside_tensor (&test_types[0], FILL_NORMAL, k, m, 1);
    double bytes = 4.0 * k * m + 4.0 * rows * (k + m), flops = 2.0 * rows * k * m;
    FacetKernelCount c;
    FacetPlan *plan;

    beside_begin ();
    x = beside_input (FACET_ROWS_TOKENS, rows, k);
    plan = compile (NULL, facet_g_matmul (beside.graph, x, w, NULL), rows);
    c = count (plan, rows, 0, "mat");
    g_assert_cmpint (c.dispatches, ==, 1);
    g_assert_cmpfloat (c.necessary_bytes, ==, bytes);
    g_assert_cmpfloat (c.bytes, ==, bytes);
    g_assert_cmpfloat (c.necessary_flops, ==, flops);
    g_assert_cmpfloat (c.flops, >=, flops);
    if (rows <= 4) {
      g_assert_cmpfloat (c.flops, <=, 1.1 * flops);
    } else {
      g_assert_cmpfloat (fmod (c.flops, 2.0 * k * 16 * 64), ==, 0);
      g_assert_cmpfloat (c.flops, <=, 2.0 * k * 128 * 1024);
    }
    end_case (plan);
  }
  beside_teardown ();
}

/* A mixture of experts in which @rows rows choose evenly: weights of the chosen ones
 * once, and tiles that are not full cost little. */
static void
check_experts (const TestType *type, int rows, gboolean shared)
{
  const int k = 512, f = 768, n_experts = 32, chosen = 8, seen = MIN (rows * chosen, n_experts);
  const double matrix = (double) k * f / type->block * type->bytes, weights = 3 * seen * matrix, flops = 2.0 * rows * chosen * 3 * k * f;
  const FacetTensor *gate = beside_tensor (type, FILL_NORMAL, k, f, n_experts), *up = beside_tensor (type, FILL_NORMAL, k, f, n_experts);
  const FacetTensor *down = beside_tensor (type, FILL_NORMAL, f, k, n_experts);
  FacetKernelCount c;
  FacetPlan *plan;
  int x, route;

  ((FacetVk *) beside.gpu)->traits.slow_shared = !shared;
  beside_begin ();
  x = beside_input (FACET_ROWS_TOKENS, rows, k);
  route = facet_g_route (beside.graph, beside_input (FACET_ROWS_TOKENS, rows, n_experts), chosen, NULL);
  x = facet_g_experts_up (beside.graph, x, route, gate, up, f);
  plan = compile (NULL, facet_g_experts_down (beside.graph, x, route, down), rows);
  c = count (plan, rows, 0, "");
  g_test_message ("%s, %d rows: %.2f MB of %.2f, weights %.2f; %.1f MFLOP of %.1f", type->name, rows, c.bytes / 1e6,
                  c.necessary_bytes / 1e6, weights / 1e6, c.flops / 1e6, flops / 1e6);
  g_assert_cmpfloat (c.bytes, >=, weights);
  g_assert_cmpfloat (c.bytes, <=, 1.1 * c.necessary_bytes);
  /* Beside the weights go rows of floats: in, gate, up and product written and read, out of each expert and summed. */
  g_assert_cmpfloat (c.necessary_bytes, <=, weights + 4.0 * rows * (2 * k + chosen * (6 * f + 3 * k) + 4 * n_experts));
  g_assert_cmpfloat (c.flops, >=, flops);
  g_assert_cmpfloat (c.flops, <=, 1.1 * flops);
  end_case (plan);
}

static void
test_experts (void)
{
  beside_setup ();
  for (int t = 7; t < 11; t += 3) {
    check_experts (&test_types[t], 1, FALSE);
    check_experts (&test_types[t], 512, FALSE);
    check_experts (&test_types[t], 2048, TRUE);
  }
  beside_teardown ();
}

static FacetKernelCount
count_attention (int window, int rows, int position)
{
  FacetAttention at = { .cache = 0, .n_head = 4, .n_kv = 1, .head_k = 256, .head_v = 256, .window = window, .scale = 1, .causal = TRUE };
  FacetKvLayer layer = { .n_kv = 1, .head_k = 256, .head_v = 256, .window = window };
  FacetKv *kv = beside.gpu->klass->kv_new (beside.gpu, &layer, 1, 16384 + 512, 512, FACET_KV_F16, NULL);
  FacetKernelCount c;
  FacetPlan *plan;
  int q;

  beside_begin ();
  q = beside_input (FACET_ROWS_TOKENS, rows, 4 * 256);
  plan = compile (kv, facet_g_attention (beside.graph, q, -1, -1, &at), rows);
  c = count (plan, rows, position, "attention");
  end_case (plan);
  beside.gpu->klass->kv_free (kv);
  return c;
}

/* A window's work does not grow with depth, that of all keys grows with it. */
static void
test_attention (void)
{
  const int rows[] = { 1, 512 };

  beside_setup ();
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    FacetKernelCount shallow = count_attention (512, rows[i], 1024), deep = count_attention (512, rows[i], 16384);
    FacetKernelCount all = count_attention (0, rows[i], 16384), half = count_attention (0, rows[i], 8192);

    g_assert_cmpfloat (deep.necessary_flops, ==, 4.0 * 4 * 256 * 512 * rows[i]);
    g_assert_cmpfloat (deep.necessary_flops, ==, shallow.necessary_flops);
    g_assert_cmpfloat (deep.necessary_bytes, ==, shallow.necessary_bytes);
    g_assert_cmpfloat (deep.flops, <=, 1.2 * deep.necessary_flops);
    g_assert_cmpfloat (deep.bytes, <=, 1.1 * deep.necessary_bytes);
    g_assert_cmpfloat (fabs (all.flops / half.flops - 2), <, 0.05);
    g_assert_cmpfloat (all.flops, <=, 1.02 * all.necessary_flops);
    g_assert_cmpfloat (all.bytes, <=, 1.05 * all.necessary_bytes);
  }
  beside_teardown ();
}

/* Keys outside the window, or not written yet, are not even read: there are
 * values in their place that would spoil whatever they are part of. */
static void
check_untouched (int window, int rows, int position)
{
  FacetAttention at = { .cache = 0, .n_head = 4, .n_kv = 1, .head_k = 64, .head_v = 64, .window = window, .scale = 0.2f, .causal = TRUE };
  FacetKvLayer layer = { .n_kv = 1, .head_k = 64, .head_v = 64, .window = window };
  FacetBackend *both[] = { beside.cpu, beside.gpu };
  g_autofree float *row = g_new (float, 2 * 64);
  float *values[2];
  FacetStep step = { .n = rows, .position = position };
  int q, k, v, ring = facet_kv_layer_length (&layer, 700, 16);

  for (int b = 0; b < 2; b++) {
    g_autoptr (GRand) rand = g_rand_new_with_seed (3);
    FacetKv *kv = both[b]->klass->kv_new (both[b], &layer, 1, 700, 16, FACET_KV_F32, NULL);

    /* The ring as it is before the step, each position at its place. */
    for (int i = 0; i < ring; i++) {
      int p = position - ring + i < 0 ? position + i : position - ring + i;
      gboolean seen = p < position && (window == 0 || p > position - window);

      fill_floats (rand, FILL_NORMAL, row, 2 * 64);
      for (int e = 0; e < 2 * 64 && !seen; e++)
        row[e] = b == 0 ? 0 : NAN;
      g_assert_true (both[b]->klass->kv_copy (kv, 0, p, 1, TRUE, (guint8 *) row, NULL));
    }
    g_rand_set_seed (beside.rand, 5);
    beside_begin ();
    q = beside_input (FACET_ROWS_TOKENS, rows, 4 * 64);
    k = beside_input (FACET_ROWS_TOKENS, rows, 64);
    v = beside_input (FACET_ROWS_TOKENS, rows, 64);
    facet_g_kv_store (beside.graph, k, v, 0);
    facet_graph_set_result (beside.graph, facet_g_attention (beside.graph, q, -1, -1, &at));
    values[b] = beside_run (both[b], kv, &step, rows, 1);
    g_clear_pointer (&beside.graph, facet_graph_free);
    for (int i = 0; i < beside.n_inputs; i++)
      g_clear_pointer (&beside.inputs[i], g_free);
    both[b]->klass->kv_free (kv);
  }
  for (int i = 0; i < rows * 4 * 64; i++)
    g_assert_cmpfloat_with_epsilon (values[0][i], values[1][i], 2e-5);
  g_free (values[0]);
  g_free (values[1]);
}

static void
test_untouched (void)
{
  beside_setup ();
  for (int rows = 1; rows <= 16; rows += 5) {
    check_untouched (24, rows, 300);
    check_untouched (130, rows, 511);
    check_untouched (0, rows, 300);
  }
  beside_teardown ();
}

/* ---- the real model ---- */

static void
check_step (FacetPlan *plan, const char *what, int rows, int position, double weights, double most)
{
  FacetKernelCount all = count (plan, rows, position, "");

  g_test_message ("%s: %d dispatches, %.1f MB of %.1f necessary (weights %.1f), %.1f read again, %.0f MFLOP of %.0f", what, all.dispatches,
                  all.bytes / 1e6, all.necessary_bytes / 1e6, weights / 1e6, (all.loads - all.bytes) / 1e6, all.flops / 1e6,
                  all.necessary_flops / 1e6);
  g_assert_cmpfloat (all.bytes, <=, most * all.necessary_bytes);
  g_assert_cmpfloat (all.flops, <=, most * all.necessary_flops);
}

/* Bytes of the weights that products of a step read. */
static double
weight_bytes (const FacetGraph *graph)
{
  double bytes = 0;

  for (int i = 0; i < facet_graph_n_nodes (graph); i++)
    if (facet_graph_node (graph, i)->op == FACET_OP_MATMUL)
      bytes += (double) facet_graph_node (graph, i)->w[0]->bytes;
  return bytes;
}

static void
test_model (void)
{
  const char *path = g_getenv ("FACET_TEST_MODEL");
  const int depths[] = { 0, 511, 4000, 16000 };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) gguf = NULL;
  FacetDecoder *decoder;
  FacetGraph *graph;
  FacetPlan *decode, *prefill;
  double weights;
  FacetKv *kv;

  if (path == NULL || !g_file_test (path, G_FILE_TEST_IS_REGULAR)) {
    g_test_skip ("FACET_TEST_MODEL names no file");
    return;
  }
  gguf = facet_gguf_open (path, &error);
  g_assert_no_error (error);
  decoder = facet_family_for (gguf, &error)->load (gguf, &error);
  g_assert_no_error (error);
  beside_setup ();
  graph = decoder->build (decoder, FACET_BUILD_NORMAL);
  weights = weight_bytes (graph);
  kv = beside.gpu->klass->kv_new (beside.gpu, decoder->kv_layers, decoder->n_kv_layers, 16600, 512, FACET_KV_F16, &error);
  decode = beside.gpu->klass->compile (beside.gpu, graph, kv, 1, 1, &error);
  g_assert_no_error (error);
  prefill = beside.gpu->klass->compile (beside.gpu, graph, kv, 512, 1, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (depths); i++) {
    FacetKernelCount products = count (decode, 1, depths[i], "matvec");

    check_step (decode, "decode", 1, depths[i], weights, 1.10);
    check_step (prefill, "prefill", 512, depths[i], weights, 1.10);
    /* Weights once, and hardly anything else. */
    g_assert_cmpfloat (products.bytes, >=, weights);
    g_assert_cmpfloat (products.bytes, <=, 1.02 * weights);
    if (depths[i] == 0)
      g_assert_cmpfloat (count (decode, 1, 0, "").bytes, <=, 1.05 * weights);
  }
  beside.gpu->klass->plan_free (decode);
  beside.gpu->klass->plan_free (prefill);
  beside.gpu->klass->kv_free (kv);
  facet_graph_free (graph);
  beside_teardown ();
  decoder->free (decoder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_setenv ("FACET_TEST_BACKEND", "vulkan", TRUE);
  if (device_missing ())
    return TEST_SKIPPED;
  g_test_add_func ("/counts/products", test_products);
  g_test_add_func ("/counts/experts", test_experts);
  g_test_add_func ("/counts/attention", test_attention);
  g_test_add_func ("/counts/untouched", test_untouched);
  g_test_add_func ("/counts/model", test_model);
  return g_test_run ();
}
