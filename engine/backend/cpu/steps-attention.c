/* Attention in tiles of queries and keys with a running softmax. When there are
 * too few query rows to keep everyone busy, the keys are split and the parts
 * merged; the split depends on positions only, so that results do not depend
 * on the number of threads. */
#include "backend/cpu/plan.h"

#include <math.h>
#include <string.h>

#define SPLIT_ROWS 4   /* with at most this many query rows the keys are split */
#define MAX_SPLITS 64
#define MIN_SPLIT 256

typedef struct {
  const FacetNode *node;
  const FacetAttention *at;
  int node_index;
  int rows, group;      /* group: query heads per KV head */
  int n_keys;           /* without a cache */
  int split;            /* keys a split, 0: not split */
  int first_split, n_splits;
} Task;

static int
round_up (int x, int multiple)
{
  return (x + multiple - 1) / multiple * multiple;
}

static int
split_keys (const FacetPlan *plan, const FacetAttention *at)
{
  return MAX (MIN_SPLIT, round_up ((plan->kv->length[at->cache] + MAX_SPLITS - 1) / MAX_SPLITS, MIN_SPLIT));
}

static int
longest_row (const FacetAttention *at)
{
  return round_up (MAX (at->head_k, at->head_v), FACET_ATTEND_ALIGN);
}

gsize
facet_cpu_attention_scratch (const FacetNode *node)
{
  const FacetAttention *at = &node->u.attention;

  return sizeof (float) * FACET_ATTEND_ROWS * (longest_row (at) + at->head_k + round_up (at->head_v, FACET_ATTEND_ALIGN) + 2)
         + FACET_ATTEND_SCRATCH (at->head_k, at->head_v);
}

gsize
facet_cpu_attention_splits (const FacetPlan *plan, const FacetNode *node)
{
  const FacetAttention *at = &node->u.attention;

  if (at->cache < 0)
    return 0;
  return (gsize) (MAX_SPLITS + 2) * SPLIT_ROWS * at->n_head * (at->head_v + 2);
}

static int
position_of (const FacetCpuRun *run, const FacetNode *node, int row)
{
  return run->step->position + (node->rows == FACET_ROWS_OUTPUTS ? run->step->outputs[row] : row);
}

/* Keys lo <= p < hi are visible to @row. */
static void
visible_keys (const FacetCpuRun *run, const Task *t, int row, int *lo, int *hi)
{
  int position, token;

  if (!t->at->causal) {
    *lo = 0;
    *hi = t->n_keys;
    return;
  }
  position = position_of (run, t->node, row);
  token = position - run->step->position;
  *lo = t->at->window > 0 ? MAX (0, position - t->at->window + 1) : 0;
  *hi = 1 + (t->at->spans && run->step->visible != NULL ? run->step->visible[token] : position);
}

static Task
task_of (const FacetCpuRun *run, const FacetCpuStep *step)
{
  const FacetPlan *plan = run->plan;
  Task t = { .node_index = step->first, .node = facet_graph_node (plan->graph, step->first) };
  int lo = G_MAXINT, hi = 0;

  t.at = &t.node->u.attention;
  t.rows = facet_cpu_rows (run, step->rows);
  t.group = t.at->n_head / t.at->n_kv;
  t.n_splits = 1;
  if (t.at->cache < 0) {
    t.n_keys = facet_cpu_rows (run, facet_graph_node (plan->graph, t.node->src[1])->rows);
    return t;
  }
  if (t.rows > SPLIT_ROWS)
    return t;
  for (int row = 0; row < t.rows; row++) {
    int a, b;

    visible_keys (run, &t, row, &a, &b);
    lo = MIN (lo, a);
    hi = MAX (hi, b);
  }
  if (t.rows > 0) {
    t.split = split_keys (plan, t.at);
    t.first_split = lo / t.split;
    t.n_splits = (hi - 1) / t.split - t.first_split + 1;
  }
  return t;
}

static float *
split_at (const FacetPlan *plan, const Task *t, int split, int row, int head)
{
  return plan->splits + ((gsize) (split * SPLIT_ROWS + row) * t->at->n_head + head) * (t->at->head_v + 2);
}

/* Points @a at the tile of keys that starts at @key; returns how many it has. */
static int
set_tile (const FacetPlan *plan, const Task *t, int kv_head, int key, int end, FacetAttend *a)
{
  int n = MIN (end - key, FACET_ATTEND_KEYS);

  if (t->at->cache >= 0) {
    int length = plan->kv->length[t->at->cache];

    n = MIN (n, length - key % length);
    a->k = facet_cpu_kv_k (plan->kv, t->at->cache, kv_head, key);
    a->v = facet_cpu_kv_v (plan->kv, t->at->cache, kv_head, key);
  } else {
    a->k = (const guint8 *) plan->values[t->node->src[1]].data + key * a->k_stride
           + sizeof (float) * kv_head * t->at->head_k;
    a->v = (const guint8 *) plan->values[t->node->src[2]].data + key * a->v_stride
           + sizeof (float) * kv_head * t->at->head_v;
  }
  a->keys = n;
  return n;
}

static void
set_strides (const FacetPlan *plan, const Task *t, FacetAttend *a)
{
  if (t->at->cache >= 0) {
    a->kv_type = facet_kv_dtype (plan->kv->type);
    a->k_stride = facet_kv_row_bytes (plan->kv->type, t->at->head_k);
    a->v_stride = facet_kv_row_bytes (plan->kv->type, t->at->head_v);
  } else {
    a->kv_type = FACET_F32;
    a->k_stride = sizeof (float) * facet_graph_node (plan->graph, t->node->src[1])->cols;
    a->v_stride = sizeof (float) * facet_graph_node (plan->graph, t->node->src[2])->cols;
  }
}

static gboolean
is_many (const FacetAttend *a)
{
  return a->rows > FACET_ATTEND_FEW;
}

/* Walks the keys from @from to @to; row r of the block sees lo[r] <= p < hi[r]. */
static void
attend_range (const FacetPlan *plan, const Task *t, FacetAttend *a, int kv_head,
              const int *lo, const int *hi, int from, int to)
{
  void (*attend) (const FacetAttend *) = is_many (a) ? plan->cpu->kernels->attend_many : plan->cpu->kernels->attend;
  int tile_lo[FACET_ATTEND_ROWS], tile_hi[FACET_ATTEND_ROWS];

  a->lo = tile_lo;
  a->hi = tile_hi;
  for (int key = from, n; key < to; key += n) {
    gboolean any = FALSE;

    n = set_tile (plan, t, kv_head, key, to, a);
    for (int r = 0; r < a->rows; r++) {
      tile_lo[r] = CLAMP (lo[r] - key, 0, n);
      tile_hi[r] = CLAMP (hi[r] - key, 0, n);
      any |= tile_hi[r] > tile_lo[r];
    }
    if (any)
      attend (a);
  }
  a->lo = a->hi = NULL;
}

/* Heads that share a block with others are left to facet_cpu_step_emit(). */
static void
emit_head (const FacetPlan *plan, const Task *t, int row, int head)
{
  int head_v = t->at->head_v;

  if (head_v % FACET_Q8_BLOCK == 0)
    facet_cpu_emit (plan, t->node_index, row, head * head_v, (head + 1) * head_v);
}

/* @sums: query r of the block at r * stride, not yet divided by the sum of weights. */
static void
finish_block (const FacetCpuRun *run, const Task *t, const FacetAttend *a, const float *sums, gsize stride, int first, int kv_head,
              int split)
{
  const FacetPlan *plan = run->plan;
  int head_v = t->at->head_v;

  for (int r = 0; r < a->rows; r++) {
    int row = (first + r) / t->group, head = kv_head * t->group + (first + r) % t->group;
    const float *acc = sums + (gsize) r * stride;

    if (t->split > 0) {
      float *part = split_at (plan, t, split, row, head);

      part[0] = a->max[r];
      part[1] = a->sum[r];
      memcpy (part + 2, acc, sizeof (float) * head_v);
    } else {
      plan->cpu->kernels->scale (acc, 1.0f / a->sum[r],
                                 plan->values[t->node_index].data + (gsize) row * t->node->cols + head * head_v,
                                 head_v);
      emit_head (plan, t, row, head);
    }
  }
}

/* The block's queries, scaled, as rows of @stride floats; and who sees what. */
static void
read_queries (const FacetCpuRun *run, const Task *t, int first, int rows, int kv_head, float *q, gsize stride, int *lo, int *hi)
{
  const FacetPlan *plan = run->plan;
  const FacetAttention *at = t->at;

  for (int r = 0; r < rows; r++) {
    int row = (first + r) / t->group, head = kv_head * t->group + (first + r) % t->group;
    const float *x = plan->values[t->node->src[0]].data + (gsize) row * at->n_head * at->head_k + head * at->head_k;

    plan->cpu->kernels->scale (x, at->scale, q + r * stride, at->head_k);
    visible_keys (run, t, row, &lo[r], &hi[r]);
  }
}

/* Queries first .. first + n - 1 of one KV head: row after row, the heads of each. */
static void
attend_block (const FacetCpuRun *run, const Task *t, int first, int n, int kv_head, int split, guint8 *scratch)
{
  const FacetPlan *plan = run->plan;
  const FacetAttention *at = t->at;
  gsize row_stride = longest_row (at), acc_row = round_up (at->head_v, FACET_ATTEND_ALIGN);
  float *rows = (float *) (gpointer) scratch, *turned = rows + FACET_ATTEND_ROWS * row_stride;
  float *acc = turned + FACET_ATTEND_ROWS * at->head_k, *max = acc + FACET_ATTEND_ROWS * acc_row, *sum = max + FACET_ATTEND_ROWS;
  int lo[FACET_ATTEND_ROWS], hi[FACET_ATTEND_ROWS], from = G_MAXINT, to = 0;
  FacetAttend a = { .q = rows, .q_stride = row_stride, .rows = n, .head_k = at->head_k, .head_v = at->head_v,
                    .softcap = at->softcap, .max = max, .sum = sum, .acc = acc, .acc_stride = acc_row,
                    .scratch = sum + FACET_ATTEND_ROWS };

  read_queries (run, t, first, a.rows, kv_head, rows, row_stride, lo, hi);
  for (int r = 0; r < a.rows; r++) {
    from = MIN (from, lo[r]);
    to = MAX (to, hi[r]);
  }
  if (is_many (&a)) {
    a.q = turned;
    a.q_stride = a.acc_stride = round_up (a.rows, FACET_ATTEND_ALIGN);
    plan->cpu->kernels->transpose (rows, row_stride, a.rows, at->head_k, turned, a.q_stride);
  }
  for (int r = 0; r < FACET_ATTEND_ROWS; r++) {
    max[r] = -INFINITY;
    sum[r] = 0;
  }
  memset (acc, 0, sizeof (float) * (is_many (&a) ? round_up (n, FACET_ATTEND_ALIGN) : n) * acc_row);
  if (t->split > 0) {
    from = MAX (from, (t->first_split + split) * t->split);
    to = MIN (to, (t->first_split + split + 1) * t->split);
  }
  set_strides (plan, t, &a);
  attend_range (plan, t, &a, kv_head, lo, hi, from, to);
  if (is_many (&a)) {
    plan->cpu->kernels->transpose (acc, a.acc_stride, at->head_v, a.rows, rows, row_stride);
    finish_block (run, t, &a, rows, row_stride, first, kv_head, split);
  } else {
    finish_block (run, t, &a, acc, acc_row, first, kv_head, split);
  }
}

void
facet_cpu_step_attention (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  Task t = task_of (run, step);
  int queries = t.rows * t.group, n_blocks = (queries + FACET_ATTEND_ROWS - 1) / FACET_ATTEND_ROWS;
  int n_chunks = n_blocks * t.at->n_kv * t.n_splits;

  for (int chunk; (chunk = facet_cpu_next_chunk (run, step, n_chunks)) >= 0;) {
    int split = chunk % t.n_splits, rest = chunk / t.n_splits;
    int kv_head = rest % t.at->n_kv, first = rest / t.at->n_kv * FACET_ATTEND_ROWS;

    attend_block (run, &t, first, MIN (FACET_ATTEND_ROWS, queries - first), kv_head, split, run->plan->scratch[member]);
  }
}

static void
merge_head (const FacetPlan *plan, const Task *t, int row, int head)
{
  int head_v = t->at->head_v;
  float *y = plan->values[t->node_index].data + (gsize) row * t->node->cols + head * head_v;
  float max = -INFINITY, sum = 0;

  for (int s = 0; s < t->n_splits; s++)
    max = fmaxf (max, split_at (plan, t, s, row, head)[0]);
  memset (y, 0, sizeof (float) * head_v);
  for (int s = 0; s < t->n_splits; s++) {
    const float *part = split_at (plan, t, s, row, head);
    float weight = expf (part[0] - max);

    sum += weight * part[1];
    for (int i = 0; i < head_v; i++)
      y[i] += weight * part[2 + i];
  }
  plan->cpu->kernels->scale (y, 1.0f / sum, y, head_v);
  emit_head (plan, t, row, head);
}

void
facet_cpu_step_merge (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  Task t = task_of (run, step);

  if (t.split == 0)
    return;
  for (int chunk; (chunk = facet_cpu_next_chunk (run, step, t.rows * t.at->n_head)) >= 0;)
    merge_head (run->plan, &t, chunk / t.at->n_head, chunk % t.at->n_head);
}
