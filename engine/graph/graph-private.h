/* graph-private.h - shared by the files that hold the builders */
#pragma once

#include "graph/graph.h"

/* Adds @node, which is no layer yet; returns its number. */
int facet_graph_append (FacetGraph *graph, FacetNode node);
