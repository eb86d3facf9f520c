/* Before a driver is trusted for the first time, its kernels compute products
 * with weights of every type, and a mixture of experts, in every tier that it
 * may use, with few rows and with many, beside the reference. The verdict is
 * remembered until driver or shaders change. */
#include "backend/vulkan/vk.h"

#include <math.h>
#include <string.h>

#define WIDTH 256
#define HEADS 4
#define ROWS 9
#define EXPERTS 4
#define CHOSEN 2
#define TOLERANCE 1e-3
#define WORKS "works"
#define WORKS_WITHOUT "works without "
/* Binary16 of about 1/64. */
#define SCALE 0x2400

/* Where the halves of a block lie that scale it; -1: none. Plain numbers have none. */
static const struct {
  FacetDtype dtype;
  int        half[2];
} types[] = {
  { FACET_F32, { -1, -1 } },   { FACET_F16, { -1, -1 } },   { FACET_BF16, { -1, -1 } },  { FACET_Q4_0, { 0, -1 } },
  { FACET_Q4_1, { 0, 2 } },    { FACET_Q5_0, { 0, -1 } },   { FACET_Q5_1, { 0, 2 } },    { FACET_Q8_0, { 0, -1 } },
  { FACET_Q2_K, { 80, 82 } },  { FACET_Q3_K, { 108, -1 } }, { FACET_Q4_K, { 0, 2 } },    { FACET_Q5_K, { 0, 2 } },
  { FACET_Q6_K, { 208, -1 } }, { FACET_IQ4_NL, { 0, -1 } }, { FACET_IQ4_XS, { 0, -1 } },
};
#define N_TYPES ((int) G_N_ELEMENTS (types))
/* Of the experts: they unpack weights as products do, so that one type shows what is their own. */
#define EXPERTS_DTYPE FACET_Q4_0

typedef struct {
  FacetTensor  table, weights[N_TYPES];
  FacetTensor  router, gate, up, down; /* of the experts */
  FacetGraph  *graph;
  gint32       ids[ROWS];
  FacetKvLayer layer;
} Network;

/* Finite numbers of either sign for plain types: the exponent is fixed. */
static void
fill (FacetTensor *t, int i, GRand *rand)
{
  guint8 *bytes = g_malloc (t->bytes);
  const FacetDtypeInfo *info = facet_dtype_info (t->dtype);

  for (gsize b = 0; b < t->bytes; b++)
    bytes[b] = (guint8) g_rand_int_range (rand, 0, 256);
  for (gsize b = 0; b < t->bytes; b += info->bytes) {
    guint8 *block = bytes + b;

    for (int h = 0; h < 2; h++)
      if (types[i].half[h] >= 0) {
        block[types[i].half[h]] = SCALE & 0xff;
        block[types[i].half[h] + 1] = SCALE >> 8;
      }
    if (t->dtype == FACET_F32 || t->dtype == FACET_BF16)
      block[info->bytes - 1] = (guint8) ((block[info->bytes - 1] & 0x80) | 0x3c);
    else if (t->dtype == FACET_F16)
      block[1] = (guint8) ((block[1] & 0x83) | 0x24);
  }
  t->data = bytes;
}

/* Multiples of 1/64 up to 127/64: rounding them to 8 bits or to 16-bit floats
 * loses nothing, so that all tiers must give the same. */
static void
fill_table (FacetTensor *t, GRand *rand)
{
  float *x = g_new (float, WIDTH * ROWS);

  for (int i = 0; i < WIDTH * ROWS; i++)
    x[i] = (float) (i % 32 == 0 ? 127 : g_rand_int_range (rand, -127, 128)) / 64;
  *t = (FacetTensor) { .name = "table", .dtype = FACET_F32, .ne = { WIDTH, ROWS, 1, 1 }, .bytes = sizeof *x * WIDTH * ROWS, .data = x };
}

static void
init_weights (FacetTensor *t, int i, int k, int rows, int experts, GRand *rand)
{
  *t = (FacetTensor) { .name = facet_dtype_name (types[i].dtype), .dtype = types[i].dtype, .ne = { k, rows, experts, 1 } };
  t->bytes = (gsize) (rows * experts) * facet_dtype_row_bytes (t->dtype, (gsize) k);
  fill (t, i, rand);
}

/* A mixture of experts on @x with weights of type @i; few rows and many go two ways. */
static int
add_experts (Network *net, int x, int i, GRand *rand)
{
  FacetGraph *g = net->graph;
  int route;

  init_weights (&net->router, 0, WIDTH, EXPERTS, 1, rand);
  init_weights (&net->gate, i, WIDTH, WIDTH / EXPERTS, EXPERTS, rand);
  init_weights (&net->up, i, WIDTH, WIDTH / EXPERTS, EXPERTS, rand);
  init_weights (&net->down, i, WIDTH / EXPERTS, WIDTH, EXPERTS, rand);
  route = facet_g_route (g, facet_g_matmul (g, x, &net->router, NULL), CHOSEN, NULL);
  return facet_g_experts_down (g, facet_g_experts_up (g, x, route, &net->gate, &net->up, WIDTH / EXPERTS), route, &net->down);
}

/* Layer 2 i is a product with weights of type i, layer 2 i + 1 a gated pair; experts are one more of the first kind. */
static void
network_init (Network *net)
{
  GRand *rand = g_rand_new_with_seed (1);
  FacetRope rope = { .base = 10000, .scale = 1, .head = WIDTH / HEADS };
  FacetAttention at = { .cache = 0, .n_head = HEADS, .n_kv = HEADS, .head_k = WIDTH / HEADS, .head_v = WIDTH / HEADS, .window = 4,
                        .scale = 0.125f, .causal = TRUE };
  FacetGraph *g = net->graph = facet_graph_new ();
  int x, y = -1;

  fill_table (&net->table, rand);
  for (int i = 0; i < ROWS; i++)
    net->ids[i] = i;
  net->layer = (FacetKvLayer) { .n_kv = HEADS, .head_k = WIDTH / HEADS, .head_v = WIDTH / HEADS, .window = 4 };
  x = facet_g_embed (g, &net->table, 1);
  for (int i = 0; i < N_TYPES; i++) {
    FacetTensor *w = &net->weights[i];

    init_weights (w, i, WIDTH, WIDTH, 1, rand);
    y = facet_g_matmul (g, x, w, NULL);
    facet_graph_mark_layer (g, y, 2 * i);
    facet_graph_mark_layer (g, facet_g_geglu (g, facet_g_matmul (g, x, w, NULL), facet_g_matmul (g, x, w, NULL)), 2 * i + 1);
    if (types[i].dtype == EXPERTS_DTYPE)
      facet_graph_mark_layer (g, add_experts (net, x, i, rand), 2 * i);
  }
  g_rand_free (rand);
  /* Each with norms and rotation of its own, as decoders have them. */
  x = facet_g_rope (g, facet_g_rms_norm (g, y, NULL, WIDTH / HEADS, 1e-6f), &rope);
  facet_g_kv_store (g, facet_g_rope (g, facet_g_rms_norm (g, y, NULL, WIDTH / HEADS, 1e-6f), &rope),
                    facet_g_rms_norm (g, y, NULL, WIDTH / HEADS, 1e-6f), 0);
  facet_graph_set_result (g, facet_g_attention (g, x, -1, -1, &at));
}

static void
network_clear (Network *net)
{
  facet_graph_free (net->graph);
  g_free ((gpointer) net->table.data);
  g_free ((gpointer) net->router.data);
  g_free ((gpointer) net->gate.data);
  g_free ((gpointer) net->up.data);
  g_free ((gpointer) net->down.data);
  for (int i = 0; i < N_TYPES; i++)
    g_free ((gpointer) net->weights[i].data);
}

static gboolean
agree (const float *a, const float *b, int n)
{
  double worst = 0, scale = 0;

  for (int i = 0; i < n; i++) {
    double off = fabs ((double) a[i] - (double) b[i]);

    if (!(off <= G_MAXFLOAT))
      return FALSE;
    worst = MAX (worst, off);
    scale = MAX (scale, fabs ((double) b[i]));
  }
  return worst <= TOLERANCE * scale;
}

/* What disagreed: types, and anything else. */
typedef struct {
  gboolean types[N_TYPES], rest;
} Faults;

static void
compare (FacetPlan *ours, const FacetBackend *gpu, FacetPlan *theirs, const FacetBackend *cpu, const FacetGraph *graph, int rows, Faults *faults)
{
  for (int i = 0; i < facet_graph_n_nodes (graph); i++) {
    const FacetNode *n = facet_graph_node (graph, i);

    if (n->layer == FACET_NOT_A_LAYER && i != facet_graph_result (graph))
      continue;
    if (agree (gpu->klass->value (ours, i), cpu->klass->value (theirs, i), rows * n->cols))
      continue;
    if (n->layer == FACET_NOT_A_LAYER)
      faults->rest = TRUE;
    else
      faults->types[n->layer / 2] = TRUE;
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

/* The simplest kernels must be right; what else is wrong is left out. */
static gboolean
judge (const Faults *faults, FacetVkTier tier, GString *without, GError **error)
{
  for (int i = 0; i < N_TYPES; i++)
    if (faults->types[i] && tier == FACET_VK_SCALAR) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_DEVICE, "products of %s disagree with the reference", facet_dtype_name (types[i].dtype));
      return FALSE;
    } else if (faults->types[i]) {
      g_string_append_printf (without, "%s%s of %s", without->len > 0 ? ", " : "", facet_vk_tier_name (tier), facet_dtype_name (types[i].dtype));
    }
  if (faults->rest)
    g_set_error (error, FACET_ERROR, FACET_ERROR_DEVICE, "attention disagrees with the reference");
  return !faults->rest;
}

/* What says nothing about tomorrow: memory or a device that are gone today, a
 * person who does not wait. */
static gboolean
is_passing (const FacetVk *vk, const GError *error)
{
  return vk->lost || g_error_matches (error, FACET_ERROR, FACET_ERROR_NO_MEMORY)
         || g_error_matches (error, FACET_ERROR, FACET_ERROR_CANCELLED);
}

static gboolean
test_tier (FacetVk *vk, FacetBackend *cpu, Network *net, FacetVkTier tier, GString *without, GError **error)
{
  Faults faults = { 0 };
  g_autoptr (GError) local = NULL;

  facet_vk_set_tiers (vk, tier);
  /* Few rows have no matrices of their own. */
  if (!(tier == FACET_VK_MATRIX || run_rows (vk, cpu, net, 1, &faults, &local)) || !run_rows (vk, cpu, net, ROWS, &faults, &local)) {
    if (tier == FACET_VK_SCALAR || is_passing (vk, local)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    /* A driver that cannot build what it promises does without it. */
    for (int i = 0; i < N_TYPES; i++)
      faults.types[i] = vk->tiers[types[i].dtype] == tier;
  }
  return judge (&faults, tier, without, error);
}

/* The best tiers, less those that @without names. */
static void
choose_tiers (FacetVk *vk, const char *without)
{
  g_auto (GStrv) faults = g_strsplit (without, ", ", -1);

  facet_vk_set_tiers (vk, facet_vk_best_tier (vk));
  /* From the highest tier down. */
  for (FacetVkTier tier = FACET_VK_N_TIERS - 1; tier > FACET_VK_SCALAR; tier--)
    for (int i = 0; i < N_TYPES; i++) {
      FacetDtype dtype = types[i].dtype;
      g_autofree char *fault = g_strdup_printf ("%s of %s", facet_vk_tier_name (tier), facet_dtype_name (dtype));

      if (!g_strv_contains ((const char *const *) faults, fault))
        continue;
      if (vk->tiers[dtype] == tier)
        vk->tiers[dtype] = facet_vk_lower_tier (vk, tier, dtype);
      if (vk->few_tiers[dtype] == tier)
        vk->few_tiers[dtype] = facet_vk_lower_tier (vk, tier, dtype);
    }
}

/* Tells who waits how far all compilations are, not only the one that runs. */
typedef struct {
  void   (*progress) (guint64 done, guint64 total, gpointer data);
  gpointer data;
  guint64  before, total; /* compilations */
} Compilations;

static void
report_all (guint64 done, guint64 total, gpointer data)
{
  Compilations *all = data;

  all->progress (all->before * total + done, all->total * total, all->data);
  if (done == total)
    all->before++;
}

static guint64
count_compilations (FacetVk *vk)
{
  guint64 n = 1; /* the encoder's */

  for (int tier = 0; tier < FACET_VK_N_TIERS; tier++)
    if (facet_vk_may_use_tier (vk, (FacetVkTier) tier))
      n += tier == FACET_VK_MATRIX ? 1 : 2;
  return n;
}

static gboolean
test_all (FacetVk *vk, GString *without, GError **error)
{
  FacetBackend *cpu = facet_cpu_backend_new (1, TRUE);
  Network net;
  gboolean done = TRUE;

  network_init (&net);
  for (int tier = 0; done && tier < FACET_VK_N_TIERS; tier++)
    done = !facet_vk_may_use_tier (vk, (FacetVkTier) tier) || test_tier (vk, cpu, &net, (FacetVkTier) tier, without, error);
  /* What was uploaded goes with the network. */
  facet_vk_weights_drop (vk);
  network_clear (&net);
  choose_tiers (vk, without->str);
  done = done && facet_vk_self_test_encode (vk, cpu, error);
  cpu->klass->free (cpu);
  return done;
}

gboolean
facet_vk_self_test (FacetVk *vk, GString *without, GError **error)
{
  Compilations all = { vk->base.progress, vk->base.progress_data, 0, count_compilations (vk) };
  gboolean done;

  if (all.progress != NULL) {
    vk->base.progress = report_all;
    vk->base.progress_data = &all;
  }
  done = test_all (vk, without, error);
  vk->base.progress = all.progress;
  vk->base.progress_data = all.data;
  return done;
}

/* ---- the verdict ---- */

char *
facet_vk_verdict (const char *cache_key)
{
  g_autofree char *path = facet_vk_cache_file (cache_key, ".verdict");
  char *verdict = NULL;

  if (g_file_get_contents (path, &verdict, NULL, NULL))
    g_strchomp (verdict);
  return verdict;
}

/* A new verdict; NULL on errors that pass. */
static char *
find_verdict (FacetVk *vk, GError **error)
{
  g_autoptr (GString) without = g_string_new (NULL);
  g_autoptr (GError) local = NULL;

  if (facet_vk_self_test (vk, without, &local))
    return without->len > 0 ? g_strconcat (WORKS_WITHOUT, without->str, NULL) : g_strdup (WORKS);
  if (!is_passing (vk, local))
    return g_strdup (local->message);
  g_propagate_error (error, g_steal_pointer (&local));
  return NULL;
}

gboolean
facet_vk_trust (FacetVk *vk, GError **error)
{
  g_autofree char *verdict = facet_vk_verdict (vk->cache_key), *path = facet_vk_cache_file (vk->cache_key, ".verdict");

  if (verdict == NULL) {
    verdict = find_verdict (vk, error);
    if (verdict == NULL)
      return FALSE;
    if (!g_file_set_contents (path, verdict, -1, NULL))
      g_info ("%s could not be written", path);
  }
  if (!g_str_equal (verdict, WORKS) && !g_str_has_prefix (verdict, WORKS_WITHOUT)) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_DEVICE, "Vulkan: %s failed its self-test: %s", vk->info->name, verdict);
    return FALSE;
  }
  choose_tiers (vk, g_str_has_prefix (verdict, WORKS_WITHOUT) ? verdict + strlen (WORKS_WITHOUT) : "");
  return TRUE;
}
