/* rows.h - what the row-wise operations of the CPU share
 *
 * Each function named facet_cpu_row_OP computes row @row of @node; graph.h
 * says what.
 */
#pragma once

#include "backend/cpu/plan.h"

typedef void (*FacetCpuRowFunc) (const FacetCpuRun *run, int node, int row);

static inline const FacetNode *
node_at (const FacetCpuRun *run, int node)
{
  return facet_graph_node (run->plan->graph, node);
}

static inline float *
row_of (const FacetCpuRun *run, int node, int row)
{
  return run->plan->values[node].data + (gsize) row * node_at (run, node)->cols;
}

/* Row @row of source @s; a one-row source serves every row. */
static inline const float *
source (const FacetCpuRun *run, int node, int s, int row)
{
  int src = node_at (run, node)->src[s];

  return row_of (run, src, node_at (run, src)->rows == 1 ? 0 : row);
}
