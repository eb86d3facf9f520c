/* rope-angles.h - the angles of a graph's rotary embeddings
 *
 * Rope nodes with the same parameters share a table. A table has, for each
 * token of a step, head/2 cosines and head/2 sines.
 */
#pragma once

#include "graph/graph.h"

typedef struct {
  int     n;        /* tables */
  int    *of_node;  /* by node: its table, -1: none */
  int    *head;     /* by table: columns */
  float **inv;      /* by table: [head/2] angle per position */
} FacetRopeAngles;

void facet_rope_angles_init  (FacetRopeAngles *self, const FacetGraph *graph);
void facet_rope_angles_clear (FacetRopeAngles *self);
/* Writes the row of @table for @position: [head]. */
void facet_rope_angles_row   (const FacetRopeAngles *self, int table, int position, float *row);
