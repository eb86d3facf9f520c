#include "backend/cpu/conv.h"

#include <errno.h>
#include <sys/mman.h>

#include "backend/placement.h"

#define ALIGN 64
#define HUGE_ARENA (32 << 20)  /* bytes from which on large pages are asked for */

typedef struct {
  FacetPlan   *plan;
  GArray      *steps;     /* FacetCpuStep */
  int         *uses;      /* readers, by node */
  int         *reader;    /* the last reader, by node */
  int         *home;      /* the first of the values in one place, by node */
  gboolean    *stored;    /* by node */
  gboolean    *wants_q8;  /* by node */
  FacetPlaced *placed;    /* by node; born at its own step */
} Compiler;

static gboolean
is_row_wise (FacetOp op)
{
  return op != FACET_OP_MATMUL && op != FACET_OP_ATTENTION && op != FACET_OP_EXPERTS_UP && op != FACET_OP_EXPERTS_DOWN
         && op != FACET_OP_CONV;
}

/* Row-wise nodes that read rows other than their own. */
static gboolean
reads_other_rows (FacetOp op)
{
  return op == FACET_OP_OUTPUTS || op == FACET_OP_POOL || op == FACET_OP_PATCHES || op == FACET_OP_RESHAPE
         || op == FACET_OP_CAUSAL_CONV || op == FACET_OP_LOCAL_ATTENTION || op == FACET_OP_EVERY
         || op == FACET_OP_CUM_STATS || op == FACET_OP_DEPTHWISE || op == FACET_OP_UPSAMPLE;
}

/* Row-wise nodes that may write over the row of their first source. */
static gboolean
may_write_over (FacetOp op)
{
  return op == FACET_OP_RMS_NORM || op == FACET_OP_LAYER_NORM || op == FACET_OP_ADD || op == FACET_OP_MUL || op == FACET_OP_SCALE
         || op == FACET_OP_GELU || op == FACET_OP_GEGLU || op == FACET_OP_ROPE || op == FACET_OP_ROTATE || op == FACET_OP_SOFTCAP
         || op == FACET_OP_RELU || op == FACET_OP_SILU || op == FACET_OP_CLAMP || op == FACET_OP_CUM_NORM;
}

gboolean
facet_cpu_uses_q8 (const FacetCpu *cpu, const FacetTensor *weight)
{
  return !cpu->exact && cpu->kernels->matmul_q8[weight->dtype] != NULL;
}

int
facet_cpu_capacity (const FacetPlan *plan, int rows)
{
  return rows == FACET_ROWS_TOKENS ? plan->max_rows : rows == FACET_ROWS_OUTPUTS ? plan->max_outputs : rows;
}

static void
push_step (Compiler *c, void (*run) (FacetCpuRun *, const FacetCpuStep *, int), int first, int n, int rows)
{
  FacetCpuStep step = { .run = run, .first = first, .n = n, .rows = rows };

  for (int i = first; i < first + n; i++)
    c->placed[i].born = (int) c->steps->len;
  g_array_append_val (c->steps, step);
}

static gboolean
is_gated_pair (Compiler *c, int i, int n_nodes)
{
  const FacetGraph *g = c->plan->graph;
  const FacetNode *a, *b, *gate;

  if (i + 2 >= n_nodes)
    return FALSE;
  a = facet_graph_node (g, i);
  b = facet_graph_node (g, i + 1);
  gate = facet_graph_node (g, i + 2);
  return a->op == FACET_OP_MATMUL && b->op == FACET_OP_MATMUL && gate->op == FACET_OP_GEGLU
         && a->src[0] == b->src[0] && gate->src[0] == i && gate->src[1] == i + 1
         && c->uses[i] == 1 && c->uses[i + 1] == 1 && a->cols % FACET_Q8_BLOCK == 0;
}

/* A product that nothing but the GELU or the limits behind it read. */
static gboolean
is_finished_by_next (Compiler *c, int i, int n_nodes)
{
  const FacetGraph *g = c->plan->graph;
  const FacetNode *next;

  if (i + 1 >= n_nodes || c->uses[i] != 1 || facet_graph_node (g, i)->layer != FACET_NOT_A_LAYER || facet_graph_result (g) == i)
    return FALSE;
  next = facet_graph_node (g, i + 1);
  return (next->op == FACET_OP_GELU || next->op == FACET_OP_CLAMP) && next->src[0] == i;
}

/* Patches that nothing but the product behind them reads, nine times as large
 * as the map: they are gathered for a few rows at a time. */
static gboolean
is_patches_product (Compiler *c, int i, int n_nodes)
{
  const FacetGraph *g = c->plan->graph;
  const FacetNode *product;

  if (i + 1 >= n_nodes || facet_graph_node (g, i)->op != FACET_OP_PATCHES || c->uses[i] != 1)
    return FALSE;
  product = facet_graph_node (g, i + 1);
  return product->op == FACET_OP_MATMUL && product->src[0] == i && !facet_cpu_uses_q8 (c->plan->cpu, product->w[0])
         && !c->wants_q8[i + 1] && facet_graph_node (g, i)->layer == FACET_NOT_A_LAYER;
}

static int
matmul_group (Compiler *c, int i, int n_nodes)
{
  const FacetGraph *g = c->plan->graph;
  int n = 1;

  while (i + n < n_nodes && facet_graph_node (g, i + n)->op == FACET_OP_MATMUL
         && facet_graph_node (g, i + n)->src[0] == facet_graph_node (g, i)->src[0]
         && !is_gated_pair (c, i + n, n_nodes) && !is_finished_by_next (c, i + n, n_nodes))
    n++;
  return n;
}

static int
row_group (Compiler *c, int i, int n_nodes)
{
  const FacetGraph *g = c->plan->graph;
  int rows = facet_graph_node (g, i)->rows;
  int n = 1;

  while (i + n < n_nodes && is_row_wise (facet_graph_node (g, i + n)->op)
         && !reads_other_rows (facet_graph_node (g, i + n)->op)
         && facet_graph_node (g, i + n)->rows == rows)
    n++;
  return n;
}

static void
cut_into_steps (Compiler *c)
{
  const FacetGraph *g = c->plan->graph;
  int n_nodes = facet_graph_n_nodes (g);

  if (c->plan->ropes.n > 0)
    push_step (c, facet_cpu_step_rope, 0, 0, FACET_ROWS_TOKENS);
  for (int i = 0, n; i < n_nodes; i += n) {
    const FacetNode *node = facet_graph_node (g, i);

    n = 1;
    if (node->op == FACET_OP_ATTENTION) {
      push_step (c, facet_cpu_step_attention, i, 1, node->rows);
      push_step (c, facet_cpu_step_merge, i, 1, node->rows);
      if (c->wants_q8[i] && node->u.attention.head_v % FACET_Q8_BLOCK != 0)
        push_step (c, facet_cpu_step_emit, i, 1, node->rows);
    } else if (node->op == FACET_OP_EXPERTS_UP) {
      push_step (c, facet_cpu_step_experts_up, i, 1, node->rows);
    } else if (node->op == FACET_OP_EXPERTS_DOWN) {
      push_step (c, facet_cpu_step_experts_down, i, 1, node->rows);
    } else if (node->op == FACET_OP_CONV) {
      push_step (c, facet_cpu_step_conv, i, 1, node->rows);
    } else if (is_patches_product (c, i, n_nodes)) {
      n = 2;
      push_step (c, facet_cpu_step_conv, i, n, node->rows);
      c->stored[i] = FALSE;
    } else if (is_row_wise (node->op)) {
      n = row_group (c, i, n_nodes);
      push_step (c, facet_cpu_step_rows, i, n, node->rows);
    } else if (is_gated_pair (c, i, n_nodes)) {
      n = 3;
      push_step (c, facet_cpu_step_gated, i, n, node->rows);
      c->stored[i] = c->stored[i + 1] = FALSE;
    } else if (is_finished_by_next (c, i, n_nodes)) {
      push_step (c, facet_cpu_step_matmul, i, 1, node->rows);
      g_array_index (c->steps, FacetCpuStep, c->steps->len - 1).after = i + 1;
      c->placed[i + 1].born = c->placed[i].born;
      c->stored[i] = FALSE;
      n = 2;
    } else {
      n = matmul_group (c, i, n_nodes);
      push_step (c, facet_cpu_step_matmul, i, n, node->rows);
    }
  }
}

static void
find_lifetimes (Compiler *c)
{
  const FacetGraph *g = c->plan->graph;
  int n_nodes = facet_graph_n_nodes (g);

  for (int i = 0; i < n_nodes; i++) {
    const FacetNode *node = facet_graph_node (g, i);

    c->placed[i].dies = MAX (c->placed[i].dies, c->placed[i].born);
    if (node->layer != FACET_NOT_A_LAYER || i == facet_graph_result (g))
      c->placed[i].dies = (int) c->steps->len;
    for (int s = 0; s < FACET_MAX_SRC; s++)
      if (node->src[s] >= 0)
        c->placed[node->src[s]].dies = MAX (c->placed[node->src[s]].dies, c->placed[i].born);
  }
}

/* Whether @step reads rows of value @x beyond the one it is at: only its first
 * node can. */
static gboolean
reads_around (Compiler *c, int step, int x)
{
  const FacetNode *node = facet_graph_node (c->plan->graph, g_array_index (c->steps, FacetCpuStep, step).first);

  for (int s = 0; s < FACET_MAX_SRC; s++)
    if (node->src[s] == x && reads_other_rows (node->op))
      return TRUE;
  return FALSE;
}

/* A value goes to the place of the one that only it reads from then on. */
static void
find_homes (Compiler *c)
{
  const FacetGraph *g = c->plan->graph;

  for (int i = 0; i < facet_graph_n_nodes (g); i++) {
    const FacetNode *node = facet_graph_node (g, i), *from;
    int x = node->src[0];

    c->home[i] = i;
    if (!may_write_over (node->op) || !c->stored[i] || !c->stored[x])
      continue;
    from = facet_graph_node (g, x);
    if (from->rows != node->rows || from->cols != node->cols || c->reader[x] != i || from->layer != FACET_NOT_A_LAYER
        || facet_graph_result (g) == x || reads_around (c, c->placed[i].born, x))
      continue;
    c->home[i] = c->home[x];
    c->placed[c->home[i]].dies = MAX (c->placed[c->home[i]].dies, c->placed[i].dies);
  }
}

static gsize
value_bytes (Compiler *c, int i)
{
  const FacetNode *node = facet_graph_node (c->plan->graph, i);
  gsize rows = (gsize) facet_cpu_capacity (c->plan, node->rows);
  gsize bytes = rows * node->cols * sizeof (float);

  if (c->wants_q8[i])
    bytes += ALIGN + facet_q8_bytes ((int) rows, node->cols);
  return (bytes + ALIGN) / ALIGN * ALIGN;
}

static gsize
place_values (Compiler *c)
{
  int n_nodes = facet_graph_n_nodes (c->plan->graph);

  for (int i = 0; i < n_nodes; i++) {
    gsize *bytes = &c->placed[c->home[i]].bytes;

    *bytes = MAX (*bytes, c->stored[i] ? value_bytes (c, i) : 0);
  }
  return facet_place (c->placed, n_nodes);
}

static guint8 *
align_up (guint8 *p)
{
  return (guint8 *) (((guintptr) p + ALIGN - 1) / ALIGN * ALIGN);
}

static void
set_pointers (Compiler *c)
{
  FacetPlan *plan = c->plan;

  for (int i = 0; i < facet_graph_n_nodes (plan->graph); i++) {
    const FacetNode *node = facet_graph_node (plan->graph, i);
    gsize rows = (gsize) facet_cpu_capacity (plan, node->rows);
    guint8 *at = plan->arena + c->placed[c->home[i]].offset;

    if (!c->stored[i])
      continue;
    plan->values[i].data = (float *) at;
    if (!c->wants_q8[i])
      continue;
    at = align_up (at + rows * node->cols * sizeof (float));
    plan->values[i].q8 = facet_q8_at (at, (int) rows, node->cols);
  }
}

static void
plan_ropes (FacetPlan *plan)
{
  facet_rope_angles_init (&plan->ropes, plan->graph);
  plan->rope_cs = g_new0 (float *, plan->ropes.n + 1);
  for (int t = 0; t < plan->ropes.n; t++)
    plan->rope_cs[t] = g_new (float, (gsize) plan->max_rows * plan->ropes.head[t]);
}

static void
find_uses (Compiler *c)
{
  const FacetGraph *g = c->plan->graph;

  for (int i = 0; i < facet_graph_n_nodes (g); i++) {
    const FacetNode *node = facet_graph_node (g, i);

    c->stored[i] = node->cols > 0;
    for (int s = 0; s < FACET_MAX_SRC; s++)
      if (node->src[s] >= 0) {
        c->uses[node->src[s]]++;
        c->reader[node->src[s]] = i;
      }
    if (node->op == FACET_OP_MATMUL || node->op == FACET_OP_EXPERTS_DOWN)
      c->wants_q8[node->src[0]] |= facet_cpu_uses_q8 (c->plan->cpu, node->w[0]);
    if (node->op == FACET_OP_EXPERTS_UP)
      c->wants_q8[node->src[0]] |= facet_cpu_uses_q8 (c->plan->cpu, node->w[0])
                                   || facet_cpu_uses_q8 (c->plan->cpu, node->w[1]);
  }
}

static void
plan_scratch (FacetPlan *plan)
{
  int members = facet_pool_members (plan->cpu->pool);
  gsize bytes = ALIGN, splits = 0;

  for (int i = 0; i < facet_graph_n_nodes (plan->graph); i++) {
    const FacetNode *node = facet_graph_node (plan->graph, i);

    if (node->op == FACET_OP_MATMUL)
      bytes = MAX (bytes, facet_cpu_matmul_scratch (plan, node));
    if (node->op == FACET_OP_EXPERTS_UP || node->op == FACET_OP_EXPERTS_DOWN)
      bytes = MAX (bytes, facet_cpu_experts_scratch (plan, node));
    if (node->op == FACET_OP_CONV || node->op == FACET_OP_PATCHES)
      bytes = MAX (bytes, facet_cpu_conv_scratch (node->op == FACET_OP_CONV ? (gsize) node->w[0]->ne[0] : (gsize) node->cols));
    if (node->op == FACET_OP_ATTENTION) {
      bytes = MAX (bytes, facet_cpu_attention_scratch (node));
      splits = MAX (splits, facet_cpu_attention_splits (plan, node));
    }
  }
  plan->scratch = g_new0 (guint8 *, members);
  for (int m = 0; m < members; m++)
    plan->scratch[m] = g_aligned_alloc (1, (bytes + ALIGN) / ALIGN * ALIGN, ALIGN);
  plan->splits = splits > 0 ? g_aligned_alloc (splits, sizeof (float), ALIGN) : NULL;
}

FacetPlan *
facet_cpu_compile (FacetBackend *backend, const FacetGraph *graph, FacetKv *kv,
                   int max_rows, int max_outputs, GError **error)
{
  int n = facet_graph_n_nodes (graph);
  FacetPlan *plan = g_new0 (FacetPlan, 1);
  Compiler c = { .plan = plan };

  plan->cpu = (FacetCpu *) backend;
  plan->graph = graph;
  plan->kv = kv;
  plan->max_rows = max_rows;
  plan->max_outputs = max_outputs;
  plan->values = g_new0 (FacetValue, n);
  c.steps = g_array_new (FALSE, TRUE, sizeof (FacetCpuStep));
  c.uses = g_new0 (int, n);
  c.reader = g_new0 (int, n);
  c.home = g_new0 (int, n);
  c.stored = g_new0 (gboolean, n);
  c.wants_q8 = g_new0 (gboolean, n);
  c.placed = g_new0 (FacetPlaced, n);

  find_uses (&c);
  plan_ropes (plan);
  cut_into_steps (&c);
  find_lifetimes (&c);
  find_homes (&c);
  plan->arena_bytes = place_values (&c);
  plan->arena = mmap (NULL, MAX (plan->arena_bytes, 1), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (plan->arena == MAP_FAILED) {
    plan->arena = NULL;
    g_set_error (error, FACET_ERROR, FACET_ERROR_NO_MEMORY, "no memory for activations of %" G_GSIZE_FORMAT
                 " bytes: %s", plan->arena_bytes, g_strerror (errno));
  } else {
    /* Tiles of large values touch a page a row. */
    if (plan->arena_bytes >= HUGE_ARENA)
      madvise (plan->arena, plan->arena_bytes, MADV_HUGEPAGE);
    set_pointers (&c);
    plan_scratch (plan);
  }

  plan->n_steps = (int) c.steps->len;
  plan->steps = (FacetCpuStep *) (gpointer) g_array_free (c.steps, FALSE);
  g_free (c.uses);
  g_free (c.reader);
  g_free (c.home);
  g_free (c.stored);
  g_free (c.wants_q8);
  g_free (c.placed);
  if (plan->arena == NULL)
    g_clear_pointer (&plan, facet_cpu_plan_free);
  return plan;
}

void
facet_cpu_plan_free (FacetPlan *plan)
{
  if (plan == NULL)
    return;
  if (plan->arena != NULL)
    munmap (plan->arena, MAX (plan->arena_bytes, 1));
  for (int t = 0; t < plan->ropes.n; t++)
    g_free (plan->rope_cs[t]);
  if (plan->scratch != NULL)
    for (int m = 0; m < facet_pool_members (plan->cpu->pool); m++)
      g_aligned_free (plan->scratch[m]);
  g_free (plan->scratch);
  g_aligned_free (plan->splits);
  g_free (plan->rope_cs);
  facet_rope_angles_clear (&plan->ropes);
  g_free (plan->values);
  g_free (plan->steps);
  g_free (plan);
}
