/* Before a driver is trusted, what all types of weights share, and the kernels
 * of those types that a model has, in each tier that it would use, compute
 * beside the reference with few rows and with many. */
#include "backend/vulkan/vk.h"

#include <math.h>

#define WIDTH 256
#define HEADS 4
#define ROWS 9
#define EXPERTS 4
#define CHOSEN 2
/* Inputs are such that rounding them loses nothing; what experts have between their products is not. */
#define TOLERANCE 1e-3
#define ROUNDED 5e-2
/* Binary16 of about 1/64. */
#define SCALE 0x2400

/* Where the halves of a block lie that scale it, from 1; 0: none. Plain numbers have none. */
static const guint8 halves[FACET_DTYPE_COUNT][2] = {
  [FACET_Q4_0] = { 1 },     [FACET_Q4_1] = { 1, 3 }, [FACET_Q5_0] = { 1 },    [FACET_Q5_1] = { 1, 3 },
  [FACET_Q8_0] = { 1 },     [FACET_Q2_K] = { 81, 83 }, [FACET_Q3_K] = { 109 }, [FACET_Q4_K] = { 1, 3 },
  [FACET_Q5_K] = { 1, 3 },  [FACET_Q6_K] = { 209 },  [FACET_IQ4_NL] = { 1 },  [FACET_IQ4_XS] = { 1 },
};

typedef struct {
  FacetGraph  *graph;
  GPtrArray   *tensors; /* the graph's, with their data */
  GRand       *rand;
  gint32       ids[ROWS];
  FacetKvLayer layer;
} Network;

static void
tensor_free (gpointer data)
{
  FacetTensor *t = data;

  g_free ((gpointer) t->data);
  g_free (t);
}

/* Finite numbers of either sign for plain types: the exponent is fixed. */
static guint8 *
random_blocks (FacetDtype dtype, gsize n, GRand *rand)
{
  const FacetDtypeInfo *info = facet_dtype_info (dtype);
  guint8 *bytes = g_malloc (n);

  for (gsize b = 0; b < n; b++)
    bytes[b] = (guint8) g_rand_int_range (rand, 0, 256);
  for (guint8 *block = bytes; block < bytes + n; block += info->bytes) {
    for (int h = 0; h < 2; h++)
      if (halves[dtype][h] > 0) {
        block[halves[dtype][h] - 1] = SCALE & 0xff;
        block[halves[dtype][h]] = SCALE >> 8;
      }
    if (dtype == FACET_F32 || dtype == FACET_BF16)
      block[info->bytes - 1] = (guint8) ((block[info->bytes - 1] & 0x80) | 0x3c);
    else if (dtype == FACET_F16)
      block[1] = (guint8) ((block[1] & 0x83) | 0x24);
  }
  return bytes;
}

static const FacetTensor *
add_weights (Network *net, FacetDtype dtype, int rows, int slices)
{
  FacetTensor *t = g_new0 (FacetTensor, 1);

  *t = (FacetTensor) { .name = facet_dtype_name (dtype), .dtype = dtype, .ne = { WIDTH, rows, slices, 1 } };
  t->bytes = (gsize) (rows * slices) * facet_dtype_row_bytes (dtype, WIDTH);
  t->data = random_blocks (dtype, t->bytes, net->rand);
  g_ptr_array_add (net->tensors, t);
  return t;
}

/* Multiples of 1/64 up to 127/64: rounding them to 8 bits or to 16-bit floats
 * loses nothing, so that all tiers must give the same. */
static int
add_input (Network *net)
{
  float *x = g_new (float, WIDTH * ROWS);
  FacetTensor *t = g_new0 (FacetTensor, 1);

  for (int i = 0; i < WIDTH * ROWS; i++)
    x[i] = (float) (i % 32 == 0 ? 127 : g_rand_int_range (net->rand, -127, 128)) / 64;
  *t = (FacetTensor) { .name = "table", .dtype = FACET_F32, .ne = { WIDTH, ROWS, 1, 1 }, .bytes = sizeof *x * WIDTH * ROWS, .data = x };
  g_ptr_array_add (net->tensors, t);
  return facet_g_embed (net->graph, t, 1);
}

/* By which nodes are marked whose values are compared. */
static int
mark_of (FacetVkUse use, int dtype)
{
  return (int) use * FACET_DTYPE_COUNT + dtype;
}

/* One alone and a gated pair. */
static int
add_products (Network *net, int x, FacetDtype dtype)
{
  FacetGraph *g = net->graph;
  const FacetTensor *w = add_weights (net, dtype, WIDTH, 1);
  int alone = facet_g_matmul (g, x, w, NULL), pair = facet_g_geglu (g, facet_g_matmul (g, x, w, NULL), facet_g_matmul (g, x, w, NULL));

  facet_graph_mark_layer (g, alone, mark_of (FACET_VK_PRODUCTS, dtype));
  facet_graph_mark_layer (g, pair, mark_of (FACET_VK_PRODUCTS, dtype));
  return pair;
}

/* Few rows and many go two ways. */
static int
add_experts (Network *net, int x, FacetDtype dtype)
{
  FacetGraph *g = net->graph;
  int route = facet_g_route (g, facet_g_matmul (g, x, add_weights (net, FACET_F32, EXPERTS, 1), NULL), CHOSEN, NULL);
  const FacetTensor *gate = add_weights (net, dtype, WIDTH, EXPERTS), *up = add_weights (net, dtype, WIDTH, EXPERTS);
  int y = facet_g_experts_down (g, facet_g_experts_up (g, x, route, gate, up, WIDTH), route, add_weights (net, dtype, WIDTH, EXPERTS));

  facet_graph_mark_layer (g, y, mark_of (FACET_VK_EXPERTS, dtype));
  return y;
}

/* Norms, rotation, the cache and attention, as decoders have them. */
static int
add_attention (Network *net, int x)
{
  FacetRope rope = { .base = 10000, .scale = 1, .head = WIDTH / HEADS };
  FacetAttention at = { .cache = 0, .n_head = HEADS, .n_kv = HEADS, .head_k = WIDTH / HEADS, .head_v = WIDTH / HEADS, .window = 4,
                        .scale = 0.125f, .causal = TRUE };
  FacetGraph *g = net->graph;
  int y = facet_g_matmul (g, x, add_weights (net, FACET_F32, WIDTH, 1), NULL);

  x = facet_g_rope (g, facet_g_rms_norm (g, y, NULL, WIDTH / HEADS, 1e-6f), &rope);
  facet_g_kv_store (g, facet_g_rope (g, facet_g_rms_norm (g, y, NULL, WIDTH / HEADS, 1e-6f), &rope),
                    facet_g_rms_norm (g, y, NULL, WIDTH / HEADS, 1e-6f), 0);
  return facet_g_attention (g, x, -1, -1, &at);
}

/* Of what @needs names; NULL: of what all types share. */
static void
network_init (Network *net, const FacetVkKernels *needs)
{
  int x, result = -1;

  *net = (Network) { .graph = facet_graph_new (), .tensors = g_ptr_array_new_with_free_func (tensor_free), .rand = g_rand_new_with_seed (1),
                     .layer = { .n_kv = HEADS, .head_k = WIDTH / HEADS, .head_v = WIDTH / HEADS, .window = 4 } };
  for (int i = 0; i < ROWS; i++)
    net->ids[i] = i;
  x = add_input (net);
  for (int dtype = 0; needs != NULL && dtype < FACET_DTYPE_COUNT; dtype++) {
    if (needs->of[FACET_VK_PRODUCTS][dtype])
      result = add_products (net, x, (FacetDtype) dtype);
    if (needs->of[FACET_VK_EXPERTS][dtype])
      result = add_experts (net, x, (FacetDtype) dtype);
  }
  facet_graph_set_result (net->graph, needs != NULL ? result : add_attention (net, x));
}

static void
network_clear (Network *net)
{
  facet_graph_free (net->graph);
  g_ptr_array_unref (net->tensors);
  g_rand_free (net->rand);
}

static gboolean
agree (const float *a, const float *b, int n, double tolerance)
{
  double worst = 0, scale = 0;

  for (int i = 0; i < n; i++) {
    double off = fabs ((double) a[i] - (double) b[i]);

    if (!(off <= G_MAXFLOAT))
      return FALSE;
    worst = MAX (worst, off);
    scale = MAX (scale, fabs ((double) b[i]));
  }
  return worst <= tolerance * scale;
}

/* What disagreed. */
typedef struct {
  FacetVkKernels *kernels;
  gboolean        rest;
} Faults;

static void
compare (FacetPlan *ours, const FacetBackend *gpu, FacetPlan *theirs, const FacetBackend *cpu, const FacetGraph *graph, int rows, Faults *faults)
{
  for (int i = 0; i < facet_graph_n_nodes (graph); i++) {
    const FacetNode *n = facet_graph_node (graph, i);
    gboolean marked = n->layer != FACET_NOT_A_LAYER, experts = marked && n->layer / FACET_DTYPE_COUNT == FACET_VK_EXPERTS;

    if (!marked && i != facet_graph_result (graph))
      continue;
    if (agree (gpu->klass->value (ours, i), cpu->klass->value (theirs, i), rows * n->cols, experts ? ROUNDED : TOLERANCE))
      continue;
    if (marked)
      faults->kernels->of[n->layer / FACET_DTYPE_COUNT][n->layer % FACET_DTYPE_COUNT] = TRUE;
    else
      faults->rest = TRUE;
  }
}

static gboolean
run_rows (FacetVk *vk, FacetBackend *cpu, Network *net, int rows, Faults *faults, GError **error)
{
  FacetBackend *both[] = { &vk->base, cpu };
  FacetStep step = { .n = rows, .ids = net->ids, .outputs = (const gint32[]) { 0 }, .n_outputs = 1 };
  FacetKv *kv[2] = { NULL };
  FacetPlan *plans[2] = { NULL };
  gboolean done = TRUE;

  for (int b = 0; done && b < 2; b++) {
    const FacetBackendClass *klass = both[b]->klass;

    done = (kv[b] = klass->kv_new (both[b], &net->layer, 1, 64, rows, FACET_KV_F16, error)) != NULL
           && (plans[b] = klass->compile (both[b], net->graph, kv[b], rows, 1, error)) != NULL
           && klass->run (plans[b], &step, NULL, error);
  }
  if (done)
    compare (plans[0], &vk->base, plans[1], cpu, net->graph, rows, faults);
  for (int b = 0; b < 2; b++) {
    if (plans[b] != NULL)
      both[b]->klass->plan_free (plans[b]);
    if (kv[b] != NULL)
      both[b]->klass->kv_free (kv[b]);
  }
  return done;
}

/* The test's weights beside those that a model may have on the device. */
typedef struct {
  GHashTable *weights;
  GArray     *chunks;
} Aside;

static Aside
begin_test (FacetVk *vk)
{
  Aside aside = { vk->weights, vk->chunks };

  facet_vk_weights_init (vk);
  vk->takes_untested = TRUE;
  return aside;
}

static void
end_test (FacetVk *vk, Aside aside)
{
  facet_vk_weights_free (vk);
  vk->weights = aside.weights;
  vk->chunks = aside.chunks;
  vk->takes_untested = FALSE;
}

gboolean
facet_vk_test_kernels (FacetVk *vk, FacetVkTier tier, const FacetVkKernels *needs, FacetVkKernels *wrong, GError **error)
{
  FacetBackend *cpu = facet_cpu_backend_new (1, TRUE);
  Aside aside = begin_test (vk);
  Faults faults = { .kernels = wrong };
  Network net;
  gboolean done;

  network_init (&net, needs);
  facet_vk_set_tiers (vk, tier);
  /* Few rows have no matrices of their own. */
  done = (tier == FACET_VK_MATRIX || run_rows (vk, cpu, &net, 1, &faults, error)) && run_rows (vk, cpu, &net, ROWS, &faults, error);
  end_test (vk, aside);
  network_clear (&net);
  cpu->klass->free (cpu);
  return done;
}

gboolean
facet_vk_test_rest (FacetVk *vk, GError **error)
{
  FacetBackend *cpu = facet_cpu_backend_new (1, TRUE);
  Aside aside = begin_test (vk);
  Faults faults = { NULL };
  Network net;
  gboolean done;

  network_init (&net, NULL);
  facet_vk_set_tiers (vk, FACET_VK_SCALAR);
  done = run_rows (vk, cpu, &net, 1, &faults, error) && run_rows (vk, cpu, &net, ROWS, &faults, error);
  if (faults.rest) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_DEVICE, "attention disagrees with the reference");
    done = FALSE;
  }
  done = done && facet_vk_self_test_encode (vk, cpu, error);
  end_test (vk, aside);
  network_clear (&net);
  cpu->klass->free (cpu);
  return done;
}
