/* Mixtures of experts. The rows that chose an expert are gathered and multiplied
 * together, a tile of its columns at a time, so that each expert's weights are
 * read once. Every member sorts the choices for itself: that is a few thousand
 * numbers at most and saves a barrier. */
#include "backend/cpu/plan.h"

#include <math.h>
#include <string.h>

/* Columns of a tile, and rows that are multiplied together. */
#define TILE 128
#define BATCH 64

/* Who chose what: a place is row * chosen + slot. */
typedef struct {
  const float *route;   /* [rows, 2 * chosen] */
  int  chosen;
  int  n_used;
  int *used;            /* [n_used] experts that were chosen, ascending */
  int *start;           /* [experts + 1] of an expert's places */
  int *places;          /* by expert, ascending within */
} Choices;

/* A member's scratch. */
typedef struct {
  void   *matmul;
  int    *ints;
  guint8 *gathered;     /* BATCH rows */
  float  *tiles;        /* [2][BATCH, TILE] */
} Scratch;

static int
n_experts (const FacetNode *n)
{
  return (int) n->w[0]->ne[2];
}

static gsize
round_up (gsize bytes)
{
  return (bytes + 63) / 64 * 64;
}

static gsize
ints_bytes (const FacetPlan *plan, const FacetNode *n)
{
  gsize places = (gsize) facet_cpu_capacity (plan, n->rows) * facet_graph_node (plan->graph, n->src[1])->i[0];

  return round_up (sizeof (int) * (2 * (gsize) n_experts (n) + 1 + places));
}

/* A batch in floats, in 8 bits or both. */
static gsize
gathered_bytes (const FacetNode *n)
{
  return round_up (sizeof (float) * BATCH * n->w[0]->ne[0]) + facet_q8_bytes (BATCH, (int) n->w[0]->ne[0]);
}

gsize
facet_cpu_experts_scratch (const FacetPlan *plan, const FacetNode *node)
{
  return round_up (FACET_MATMUL_SCRATCH ((gsize) node->w[0]->ne[0])) + ints_bytes (plan, node)
         + round_up (gathered_bytes (node)) + sizeof (float) * 2 * BATCH * TILE;
}

static Scratch
scratch_of (const FacetPlan *plan, const FacetNode *n, int member)
{
  guint8 *at = plan->scratch[member];
  Scratch s;

  s.matmul = at;
  at += round_up (FACET_MATMUL_SCRATCH ((gsize) n->w[0]->ne[0]));
  s.ints = (int *) (gpointer) at;
  at += ints_bytes (plan, n);
  s.gathered = at;
  at += round_up (gathered_bytes (n));
  s.tiles = (float *) (gpointer) at;
  return s;
}

/* Sorts the places of @rows rows by expert, counting first. */
static Choices
sort_choices (const FacetPlan *plan, const FacetNode *n, int rows, const Scratch *s)
{
  int experts = n_experts (n);
  Choices c = { .route = plan->values[n->src[1]].data, .chosen = facet_graph_node (plan->graph, n->src[1])->i[0] };

  c.used = s->ints;
  c.start = c.used + experts;
  c.places = c.start + experts + 1;
  memset (c.start, 0, sizeof (int) * (experts + 1));
  for (int row = 0; row < rows; row++)
    for (int slot = 0; slot < c.chosen; slot++)
      c.start[(int) c.route[(gsize) row * 2 * c.chosen + slot] + 1]++;
  for (int e = 0; e < experts; e++) {
    if (c.start[e + 1] > 0)
      c.used[c.n_used++] = e;
    c.start[e + 1] += c.start[e];
  }
  for (int row = 0; row < rows; row++)
    for (int slot = 0; slot < c.chosen; slot++)
      c.places[c.start[(int) c.route[(gsize) row * 2 * c.chosen + slot]]++] = row * c.chosen + slot;
  /* Each start has moved to the next one's. */
  memmove (c.start + 1, c.start, sizeof (int) * experts);
  c.start[0] = 0;
  return c;
}

/* The inputs of @count places, side by side: @width columns each, from column
 * slot * @step of the row. One place needs no copy. */
static void
gather (const FacetPlan *plan, const FacetNode *n, const Choices *c, const int *places, int count, gsize step,
        const Scratch *s, const float **x, FacetQ8 *xq)
{
  const FacetValue *v = &plan->values[n->src[0]];
  gsize width = (gsize) n->w[0]->ne[0], cols = (gsize) facet_graph_node (plan->graph, n->src[0])->cols;
  float *floats = (float *) (gpointer) s->gathered;
  FacetQ8 q8 = facet_q8_at (s->gathered + round_up (sizeof (float) * BATCH * width), BATCH, (int) width);

  for (int i = 0; i < count; i++) {
    gsize at = (gsize) (places[i] / c->chosen) * cols + (gsize) (places[i] % c->chosen) * step;

    if (count == 1) {
      *x = v->data + at;
      *xq = v->q8.q != NULL ? (FacetQ8) { v->q8.q + at, v->q8.d + at / 32, v->q8.off + at / 32, v->q8.off16 + at / 16 }
                            : (FacetQ8) { NULL };
      return;
    }
    memcpy (floats + i * width, v->data + at, sizeof (float) * width);
    if (v->q8.q != NULL) {
      memcpy (q8.q + i * width, v->q8.q + at, width);
      memcpy (q8.d + i * width / 32, v->q8.d + at / 32, sizeof *q8.d * width / 32);
      memcpy (q8.off + i * width / 32, v->q8.off + at / 32, sizeof *q8.off * width / 32);
      memcpy (q8.off16 + i * width / 16, v->q8.off16 + at / 16, sizeof *q8.off16 * width / 16);
    }
  }
  *x = floats;
  *xq = q8;
}

void
facet_cpu_step_experts_up (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  const FacetPlan *plan = run->plan;
  const FacetNode *n = facet_graph_node (plan->graph, step->first);
  Scratch s = scratch_of (plan, n, member);
  Choices c = sort_choices (plan, n, facet_cpu_rows (run, step->rows), &s);
  int cols = (int) n->w[0]->ne[1], tiles = (cols + TILE - 1) / TILE;
  float *gate = s.tiles, *up = gate + BATCH * TILE;

  for (int chunk; (chunk = facet_cpu_next_chunk (run, step, c.n_used * tiles)) >= 0;) {
    int expert = c.used[chunk / tiles], m0 = chunk % tiles * TILE, width = MIN (TILE, cols - m0);
    gsize first = (gsize) expert * n->i[1] + m0;

    for (int i = c.start[expert], count; i < c.start[expert + 1]; i += count) {
      const float *x;
      FacetQ8 xq;

      count = MIN (BATCH, c.start[expert + 1] - i);
      gather (plan, n, &c, c.places + i, count, 0, &s, &x, &xq);
      facet_cpu_multiply (plan, n->w[0], first, width, x, &xq, count, NULL, gate, TILE, s.matmul);
      facet_cpu_multiply (plan, n->w[1], first, width, x, &xq, count, NULL, up, TILE, s.matmul);
      for (int r = 0; r < count; r++) {
        int row = c.places[i + r] / c.chosen, at = c.places[i + r] % c.chosen * cols + m0;

        plan->cpu->kernels->geglu (gate + r * TILE, up + r * TILE,
                                   plan->values[step->first].data + (gsize) row * n->cols + at, width);
        facet_cpu_emit (plan, step->first, row, at, at + width);
      }
    }
  }
}

/* Adds @expert's share to columns m0 .. m0 + width - 1 of the rows that chose it. */
static void
add_expert (const FacetPlan *plan, int node, const Choices *c, int expert, int m0, int width, const Scratch *s)
{
  const FacetNode *n = facet_graph_node (plan->graph, node);

  for (int i = c->start[expert], count; i < c->start[expert + 1]; i += count) {
    const float *x;
    FacetQ8 xq;

    count = MIN (BATCH, c->start[expert + 1] - i);
    gather (plan, n, c, c->places + i, count, (gsize) n->w[0]->ne[0], s, &x, &xq);
    facet_cpu_multiply (plan, n->w[0], (gsize) expert * n->i[1] + m0, width, x, &xq, count, NULL, s->tiles, TILE, s->matmul);
    for (int r = 0; r < count; r++) {
      int row = c->places[i + r] / c->chosen, slot = c->places[i + r] % c->chosen;
      float weight = c->route[(gsize) row * 2 * c->chosen + c->chosen + slot];
      float *y = plan->values[node].data + (gsize) row * n->cols + m0;

      for (int j = 0; j < width; j++)
        y[j] += weight * s->tiles[r * TILE + j];
    }
  }
}

/* One member adds all experts of a tile, in ascending order as the original does. */
void
facet_cpu_step_experts_down (FacetCpuRun *run, const FacetCpuStep *step, int member)
{
  const FacetPlan *plan = run->plan;
  const FacetNode *n = facet_graph_node (plan->graph, step->first);
  Scratch s = scratch_of (plan, n, member);
  int rows = facet_cpu_rows (run, step->rows);
  Choices c = sort_choices (plan, n, rows, &s);

  for (int chunk; (chunk = facet_cpu_next_chunk (run, step, (n->cols + TILE - 1) / TILE)) >= 0;) {
    int m0 = chunk * TILE, width = MIN (TILE, n->cols - m0);

    for (int row = 0; row < rows; row++)
      memset (plan->values[step->first].data + (gsize) row * n->cols + m0, 0, sizeof (float) * width);
    for (int i = 0; i < c.n_used; i++)
      add_expert (plan, step->first, &c, c.used[i], m0, width, &s);
    for (int row = 0; row < rows; row++)
      facet_cpu_emit (plan, step->first, row, m0, m0 + width);
  }
}

void
facet_cpu_row_route (const FacetCpuRun *run, int node, int row)
{
  const FacetNode *n = facet_graph_node (run->plan->graph, node);
  int experts = facet_graph_node (run->plan->graph, n->src[0])->cols, chosen = n->i[0];
  const float *scores = run->plan->values[n->src[0]].data + (gsize) row * experts;
  const float *scale = n->w[0] != NULL ? n->w[0]->data : NULL;
  float *numbers = run->plan->values[node].data + (gsize) row * n->cols, *weights = numbers + chosen;
  gboolean *taken = g_newa0 (gboolean, experts);
  float sum = 0;

  for (int slot = 0; slot < chosen; slot++) {
    int best = -1;

    for (int e = 0; e < experts; e++)
      if (!taken[e] && (best < 0 || scores[e] > scores[best]))
        best = e;
    taken[best] = TRUE;
    numbers[slot] = (float) best;
    weights[slot] = expf (scores[best] - scores[(int) numbers[0]]);
    sum += weights[slot];
  }
  for (int slot = 0; slot < chosen; slot++)
    weights[slot] *= (scale != NULL ? scale[(int) numbers[slot]] : 1) / sum;
}
