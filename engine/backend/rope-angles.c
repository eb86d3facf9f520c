#include "backend/rope-angles.h"

#include <math.h>

static gboolean
same_rope (const FacetRope *a, const FacetRope *b)
{
  return a->base == b->base && a->scale == b->scale && a->head == b->head && a->divisors == b->divisors;
}

static int
find_table (const FacetRopeAngles *self, const FacetGraph *graph, int node)
{
  for (int j = 0; j < node; j++)
    if (self->of_node[j] >= 0 && same_rope (&facet_graph_node (graph, j)->u.rope, &facet_graph_node (graph, node)->u.rope))
      return self->of_node[j];
  return -1;
}

void
facet_rope_angles_init (FacetRopeAngles *self, const FacetGraph *graph)
{
  int n_nodes = facet_graph_n_nodes (graph);

  self->n = 0;
  self->of_node = g_new (int, n_nodes);
  self->head = g_new0 (int, n_nodes + 1);
  self->inv = g_new0 (float *, n_nodes + 1);
  for (int i = 0; i < n_nodes; i++) {
    const FacetRope *rope = &facet_graph_node (graph, i)->u.rope;

    self->of_node[i] = -1;
    if (facet_graph_node (graph, i)->op != FACET_OP_ROPE)
      continue;
    self->of_node[i] = find_table (self, graph, i);
    if (self->of_node[i] >= 0)
      continue;
    self->of_node[i] = self->n;
    self->head[self->n] = rope->head;
    self->inv[self->n] = g_new (float, rope->head / 2);
    for (int d = 0; d < rope->head / 2; d++) {
      float inv = (float) (1.0 / pow (rope->base, 2.0 * d / rope->head)) * rope->scale;

      self->inv[self->n][d] = rope->divisors != NULL ? inv / rope->divisors[d] : inv;
    }
    self->n++;
  }
}

void
facet_rope_angles_clear (FacetRopeAngles *self)
{
  for (int i = 0; i < self->n; i++)
    g_free (self->inv[i]);
  g_free (self->of_node);
  g_free (self->head);
  g_free (self->inv);
}

/* Angles as the original does: a 32-bit frequency times a 32-bit position. */
void
facet_rope_angles_row (const FacetRopeAngles *self, int table, int position, float *row)
{
  int half = self->head[table] / 2;

  for (int d = 0; d < half; d++) {
    float angle = (float) position * self->inv[table][d];

    row[d] = cosf (angle);
    row[half + d] = sinf (angle);
  }
}
