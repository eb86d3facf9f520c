/* What the dispatches of a plan move and compute, from their shapes. */
#include "backend/vulkan/plan.h"
#include "push-matrix.h"

#include <string.h>

/* Of one dispatch. Bytes that work groups ask for come from memory or, if one
 * of them or another had them before, from a cache. */
typedef struct {
  double loads, again; /* asked for; of these, had before in this dispatch */
  double writes;
  double flops;
  double need_bytes, need_flops;
} Work;

typedef struct {
  const FacetPlan           *plan;
  const FacetStep           *step;
  const FacetVkDispatch     *d;
  guint32                    rows;    /* of the dispatch's class */
  VkDispatchIndirectCommand  groups;
} Look;

static guint32
class_rows (const FacetStep *step, guint32 rows)
{
  return rows == FACET_PUSH_TOKENS ? (guint32) step->n : rows == FACET_PUSH_OUTPUTS ? (guint32) step->n_outputs : rows;
}

/* ---- products ---- */

/* What work groups of products do together. */
typedef struct {
  guint32  k, m, row_bytes;
  double   x_row;       /* bytes of a row of x */
  int      products;    /* 2: of a gated pair */
  gboolean has_bias;
  double   of_x, of_w;  /* rows of either that they load */
  double   sums;        /* that they compute */
} Product;

static Product
product_of (const FacetVkDispatch *d)
{
  const struct FacetPushMatmul *push = (const struct FacetPushMatmul *) (gconstpointer) d->push;

  /* Rows of x are 32-bit floats, or 8-bit integers with scales. */
  return (Product) { .k = push->k, .m = push->m, .row_bytes = push->row_bytes, .x_row = push->k * (push->x_blocks > 0 ? 1.25 : 4.0),
                     .products = strstr (d->shader, "-gated") != NULL ? 2 : 1, .has_bias = push->has_bias != 0 };
}

static void
count_product (const Look *look, const Product *p, Work *w)
{
  double weights = (double) p->row_bytes * p->products, bias = p->has_bias ? 4.0 * p->m : 0;
  double once = p->m * weights + look->rows * p->x_row + bias;

  w->loads = p->of_w * weights + p->of_x * p->x_row + bias;
  w->again = w->loads - once;
  w->writes = 4.0 * look->rows * p->m;
  w->flops = 2 * p->sums * p->k * p->products;
  w->need_bytes = once + w->writes;
  w->need_flops = 2.0 * look->rows * p->m * p->k * p->products;
}

static void
count_tiles (const Look *look, Product p, guint32 high, guint32 wide, Work *w)
{
  double tiles = (double) look->groups.x * look->groups.z * look->groups.y;

  p.of_x = tiles * high;
  p.of_w = tiles * wide;
  p.sums = tiles * high * wide;
  count_product (look, &p, w);
}

static void
count_matvec (const Look *look, Work *w)
{
  double groups = (double) look->groups.x * look->groups.z;
  Product p = product_of (look->d);

  p.of_w = groups * look->groups.y * (FACET_MATVEC_THREADS / look->d->constants[0]);
  p.of_x = p.sums = p.of_w * look->d->constants[1];
  count_product (look, &p, w);
}

/* Rows and columns; where threads pass values round, it is preceded by how many do. */
static const guint32 *
tile_of (const FacetVkDispatch *d)
{
  return d->constants + (strstr (d->shader, "-lanes") != NULL ? 1 : 0);
}

static void
count_experts (const Look *look, Work *w)
{
  const struct FacetPushExperts *push = (const struct FacetPushExperts *) (gconstpointer) look->d->push;
  double places = (double) look->rows * push->chosen, share = (double) push->count / (push->count + push->first);
  double x_row = push->x_blocks > 0 ? push->k * 1.25 : push->k * 4.0, inputs = push->x_step > 0 ? places : look->rows;
  double experts = MIN (places, (push->first + push->count + push->stride - push->m) / push->stride);

  w->loads = places * push->m * share * (push->row_bytes + x_row) + 4 * places;
  w->need_bytes = experts * push->m * share * push->row_bytes + inputs * x_row + 4 * places;
  w->again = w->loads - w->need_bytes;
  w->writes = 4.0 * places * push->m * share;
  w->need_bytes += w->writes;
  w->flops = w->need_flops = 2.0 * places * push->m * share * push->k;
}

/* Places are taken to be spread evenly: then each expert's last tile is half full. */
static void
count_sorted (const Look *look, const Product *p, const FacetSorted *sorted, guint32 columns, Work *w)
{
  double share = (double) sorted->n_experts / look->d->experts, places = (double) look->rows * look->d->groups_a_row;
  double experts = MIN (places, look->d->experts) * share, tile = look->d->rows_a_group;
  double tiles = MAX (experts, (places * share + experts * (tile - 1) / 2) / tile), outputs = (double) look->groups.y * columns;
  double weights = (double) p->row_bytes * p->products, inputs = places * share / sorted->share * p->x_row;

  w->need_bytes = experts * p->m * weights + inputs;
  w->loads = tiles * outputs * weights + tiles * tile * look->groups.y * p->x_row;
  w->again = w->loads - w->need_bytes;
  w->writes = 4 * places * share * p->m;
  w->need_bytes += w->writes;
  w->flops = 2 * tiles * tile * outputs * p->k * p->products;
  w->need_flops = 2 * places * share * p->m * p->k * p->products;
}

/* Rows of x are 16-bit floats there, padded. */
static void
count_matrix (const Look *look, Work *w)
{
  const struct FacetPushMatrix *push = (const struct FacetPushMatrix *) (gconstpointer) look->d->push;
  const guint32 *tile = look->d->constants + 5;
  Product p = { .k = push->k, .m = push->m, .row_bytes = push->row_bytes, .x_row = 2.0 * push->stride + 4,
                .products = (int) look->d->constants[7], .has_bias = push->has_bias != 0 };

  if (look->d->kind == FACET_VK_GROUPS_EXPERTS)
    count_sorted (look, &p, &push->sorted, tile[1], w);
  else
    count_tiles (look, p, tile[0], tile[1], w);
}

static void
count_matmul (const Look *look, Work *w)
{
  const struct FacetPushMatmul *push = (const struct FacetPushMatmul *) (gconstpointer) look->d->push;
  const guint32 *tile = tile_of (look->d);
  Product p = product_of (look->d);

  if (look->d->kind == FACET_VK_GROUPS_EXPERTS)
    count_sorted (look, &p, &push->sorted, tile[1], w);
  else
    count_tiles (look, p, tile[0], tile[1], w);
}

/* ---- attention ---- */

static void
keys_of (const Look *look, const struct FacetPushAttention *push, guint32 row, int *lo, int *hi)
{
  if (push->causal) {
    facet_vk_visible_keys (look->step, look->d, (int) row, lo, hi);
  } else {
    *lo = 0;
    *hi = (int) class_rows (look->step, push->n_keys);
  }
}

/* Keys that the work groups of one KV head walk over, summed, and those of the
 * tiles that they fill. */
static void
walk (const Look *look, const struct FacetPushAttention *push, double *keys, double *padded)
{
  guint32 group = push->n_head / push->n_kv, queries = look->rows * group, at_once = look->d->constants[0];
  int first, unused;

  keys_of (look, push, 0, &first, &unused);
  first = push->split > 0 ? first / (int) push->split : 0;
  for (guint32 query = 0; query < queries; query += at_once)
    for (guint32 z = 0; z < look->groups.z; z++) {
      int from = G_MAXINT, to = 0;

      for (guint32 q = query; q < MIN (query + at_once, queries); q++) {
        int lo, hi;

        keys_of (look, push, q / group, &lo, &hi);
        from = MIN (from, lo);
        to = MAX (to, hi);
      }
      if (push->split > 0) {
        from = MAX (from, (first + (int) z) * (int) push->split);
        to = MIN (to, (first + (int) z + 1) * (int) push->split);
      }
      *keys += MAX (to - from, 0);
      *padded += (MAX (to - from, 0) + FACET_ATTENTION_KEYS - 1) / FACET_ATTENTION_KEYS * FACET_ATTENTION_KEYS;
    }
}

static void
count_attention (const Look *look, Work *w)
{
  const struct FacetPushAttention *push = (const struct FacetPushAttention *) (gconstpointer) look->d->push;
  gboolean cached = push->ring > 0;
  double key = cached ? facet_kv_row_bytes (look->plan->kv->type, (int) push->head_k) + facet_kv_row_bytes (look->plan->kv->type, (int) push->head_v)
                      : 4.0 * (push->head_k + push->head_v);
  double heads = look->groups.y, queries = look->rows * heads * (push->n_head / push->n_kv), keys = 0, padded = 0, seen = 0;
  int least = G_MAXINT, most = 0;

  walk (look, push, &keys, &padded);
  for (guint32 row = 0; row < look->rows; row++) {
    int lo, hi;

    keys_of (look, push, row, &lo, &hi);
    least = MIN (least, lo);
    most = MAX (most, hi);
    seen += hi - lo;
  }
  w->loads = heads * keys * key + 4 * queries * push->head_k * look->groups.z;
  w->again = w->loads - heads * MAX (most - least, 0) * key - 4 * queries * push->head_k;
  w->writes = 4 * queries * (look->groups.z > 1 ? look->groups.z * (push->head_v + 2.0) : push->head_v);
  w->flops = 2 * heads * look->d->constants[0] * (padded * push->head_k + keys * push->head_v);
  w->need_bytes = heads * MAX (most - least, 0) * key + 4 * queries * (push->head_k + push->head_v);
  w->need_flops = 2 * heads * (push->n_head / push->n_kv) * seen * (push->head_k + push->head_v);
}

/* What splits of the keys cost: nothing of it is necessary. */
static void
count_merge (const Look *look, Work *w)
{
  const struct FacetPushAttention *push = (const struct FacetPushAttention *) (gconstpointer) look->d->push;
  double queries = look->groups.x > 0 ? (double) look->rows * push->n_head : 0;

  w->loads = 4 * queries * facet_vk_count_splits (look->step, look->d) * (push->head_v + 2.0);
  w->writes = 4 * queries * push->head_v;
  w->flops = w->loads / 2;
}

static void
count_kv_store (const Look *look, Work *w)
{
  const struct FacetPushStore *push = (const struct FacetPushStore *) (gconstpointer) look->d->push;
  FacetKvType type = look->plan->kv->type;

  w->loads = 4.0 * look->rows * (push->count * (push->head_k + push->head_v) + (push->rotated ? push->head_k : 0))
             + 4.0 * ((push->has_gain_k ? push->head_k : 0) + (push->has_gain_v ? push->head_v : 0));
  w->writes = (double) look->rows * push->count * (facet_kv_row_bytes (type, (int) push->head_k) + facet_kv_row_bytes (type, (int) push->head_v));
  w->flops = w->need_flops = look->d->cost * look->rows / MAX (facet_vk_capacity (look->plan, look->d->rows), 1);
  w->need_bytes = w->loads + w->writes;
}

/* ---- the others ---- */

static void
count_embed (const Look *look, Work *w)
{
  const struct FacetPushEmbed *push = (const struct FacetPushEmbed *) (gconstpointer) look->d->push;

  w->loads = (double) look->rows * push->row_bytes;
  w->writes = 4.0 * look->rows * push->cols;
  w->flops = w->need_flops = (double) look->rows * push->cols;
  w->need_bytes = w->loads + w->writes;
}

static gboolean
same (const FacetVkOperand *a, const FacetVkOperand *b)
{
  return a->value == b->value && (a->value != FACET_VK_RANGE || (a->range.buffer == b->range.buffer && a->range.offset == b->range.offset));
}

/* Bytes of a value's rows of this step; of other ranges, all. */
static double
operand_bytes (const Look *look, const FacetVkOperand *operand)
{
  const FacetNode *node;
  double bytes;

  if (operand->value == FACET_VK_RANGE)
    return (double) operand->range.size;
  if (operand->value < 0)
    return (double) facet_vk_resolve (look->plan, operand).size * look->rows / MAX (look->plan->max_rows, 1);
  bytes = (double) g_array_index (look->plan->values, FacetVkValue, operand->value).placed.bytes;
  if (operand->value >= facet_graph_n_nodes (look->plan->graph))
    return bytes * look->rows / MAX (facet_vk_capacity (look->plan, look->d->rows), 1);
  node = facet_graph_node (look->plan->graph, operand->value);
  return bytes * class_rows (look->step, (guint32) node->rows) / MAX (facet_vk_capacity (look->plan, node->rows), 1);
}

/* Whatever is bound is read or written once, places of several bindings once. */
static void
count_rows (const Look *look, Work *w)
{
  const FacetVkOperand *operands = look->d->operands;

  for (int b = 1; b < FACET_VK_BINDINGS; b++) {
    gboolean seen = operands[b].value == FACET_VK_RANGE && operands[b].range.buffer == VK_NULL_HANDLE;

    for (int before = 1; before < b && !seen; before++)
      seen = same (&operands[b], &operands[before]);
    if (!seen)
      *(operands[b].write ? &w->writes : &w->loads) += operand_bytes (look, &operands[b]);
  }
  w->flops = look->d->cost * look->rows / MAX (facet_vk_capacity (look->plan, look->d->rows), 1);
  w->need_flops = w->flops;
  w->need_bytes = w->loads + w->writes;
}

/* Prepares rows for kernels of one tier, or finds what the host might: not necessary. */
static void
count_help (const Look *look, Work *w)
{
  count_rows (look, w);
  w->need_bytes = w->need_flops = 0;
}

static const struct {
  const char *prefix;
  void      (*count) (const Look *look, Work *w);
} kernels[] = {
  { "matvec", count_matvec },
  { "matmul-matrix", count_matrix },
  { "matmul", count_matmul },
  { "conv", count_matmul },
  { "experts-sum", count_rows },
  { "experts-sort", count_help },
  { "experts", count_experts },
  { "attention-merge", count_merge },
  { "attention", count_attention },
  { "kv-store", count_kv_store },
  { "embed", count_embed },
  { "halve", count_help },
  { "quantize", count_help },
  { "best", count_help },
  { "", count_rows },
};

/* ---- the whole ---- */

/* A shader's name without the form of its lanes and its type. */
static char *
kernel_of (const char *shader)
{
  g_auto (GStrv) words = g_strsplit (shader, "-", -1);
  g_autoptr (GString) name = g_string_new (words[0]);

  for (int i = 1; words[i] != NULL; i++) {
    gboolean type = FALSE;

    for (int dtype = 0; dtype < FACET_DTYPE_COUNT && !type; dtype++)
      type = facet_dtype_name ((FacetDtype) dtype) != NULL && g_ascii_strcasecmp (words[i], facet_dtype_name ((FacetDtype) dtype)) == 0;
    if (!type && !g_str_equal (words[i], "subgroup"))
      g_string_append_printf (name, "-%s", words[i]);
  }
  return g_string_free (g_steal_pointer (&name), FALSE);
}

static FacetKernelCount *
entry_of (GArray *counts, const char *kernel)
{
  FacetKernelCount empty = { 0 };

  for (guint i = 0; i < counts->len; i++)
    if (g_str_equal (g_array_index (counts, FacetKernelCount, i).kernel, kernel))
      return &g_array_index (counts, FacetKernelCount, i);
  g_strlcpy (empty.kernel, kernel, sizeof empty.kernel);
  g_array_append_val (counts, empty);
  return &g_array_index (counts, FacetKernelCount, counts->len - 1);
}

void
facet_vk_plan_count (FacetPlan *plan, const FacetStep *step, GArray *counts)
{
  for (guint i = 0; i < plan->dispatches->len; i++) {
    const FacetVkDispatch *d = &g_array_index (plan->dispatches, FacetVkDispatch, i);
    Look look = { plan, step, d, class_rows (step, (guint32) d->rows), { 0, 0, 0 } };
    g_autofree char *kernel = kernel_of (d->shader);
    FacetKernelCount *entry = entry_of (counts, kernel);
    Work w = { 0 };
    guint k = 0;

    look.groups = facet_vk_step_groups (plan, d, step);
    if (look.groups.x == 0)
      continue;
    while (!g_str_has_prefix (d->shader, kernels[k].prefix))
      k++;
    kernels[k].count (&look, &w);
    entry->dispatches++;
    entry->loads += w.loads + w.writes;
    entry->bytes += w.loads - w.again + w.writes;
    entry->flops += w.flops;
    entry->necessary_bytes += w.need_bytes;
    entry->necessary_flops += w.need_flops;
  }
}
