/* backend.h - what a backend must be able to do
 *
 * A backend owns memory for KV caches and compiles graphs into plans. A plan
 * is compiled once; a step changes only the values in FacetStep.
 *
 * Thread-safety: a backend and its plans and caches belong to the engine
 * thread. Cancel flags may be raised from anywhere.
 */
#pragma once

#include "facet.h"
#include "graph/graph.h"

typedef struct FacetBackend FacetBackend;
typedef struct FacetPlan    FacetPlan;
typedef struct FacetKv      FacetKv;

/* One layer of a KV cache. */
typedef struct {
  int n_kv;
  int head_k, head_v;
  int window;    /* 0: keeps all positions; else a ring of window + largest step */
} FacetKvLayer;

/* What changes from step to step. Pointers are borrowed for the call. */
typedef struct {
  int           n;            /* token rows, 1 .. the plan's max_rows */
  int           position;     /* of the first row; rows are consecutive */
  const gint32 *ids;          /* [n]; id < 0: soft row number -1 - id */
  const float  *soft;         /* [n_soft, D] */
  int           n_soft;
  const gint32 *visible;      /* [n] last position that row i may see when a span
                                 is bidirectional; NULL: its own position */
  const gint32 *outputs;      /* [n_outputs] rows whose results are wanted, ascending */
  int           n_outputs;
  const float *const *inputs; /* of INPUT nodes, by slot */
  /* NULL, or called in the calling thread now and then: how much of the plan is done. */
  void        (*progress) (int done, int total, gpointer data);
  gpointer      progress_data;
} FacetStep;

typedef struct {
  const char *name;

  /* Whether compile() knows every operation of @graph at its sizes, or
   * UNSUPPORTED says which it does not. NULL: it knows all. */
  gboolean   (*supports)  (FacetBackend *backend, const FacetGraph *graph, GError **error);

  /* Largest rows a step may have: @max_rows TOKENS, @max_outputs OUTPUTS.
   * The graph must outlive the plan; @kv may be NULL if no node uses it. */
  FacetPlan *(*compile)   (FacetBackend *backend, const FacetGraph *graph, FacetKv *kv,
                           int max_rows, int max_outputs, GError **error);
  void       (*plan_free) (FacetPlan *plan);
  gsize      (*plan_bytes)(const FacetPlan *plan);

  /* Runs the plan; returns when results can be read. CANCELLED leaves the KV
   * cache positions of this step undefined, earlier ones intact. */
  gboolean   (*run)       (FacetPlan *plan, const FacetStep *step, FacetCancel *cancel, GError **error);

  /* float32 [rows of this step, cols] of @node: the graph's result, or a node
   * marked as a layer. Valid until the next run. NULL: not kept. */
  const float *(*value)   (FacetPlan *plan, int node);

  FacetKv   *(*kv_new)    (FacetBackend *backend, const FacetKvLayer *layers, int n_layers,
                           int context, int max_step, FacetKvType type, GError **error);
  void       (*kv_free)   (FacetKv *kv);

  void       (*free)      (FacetBackend *backend);
} FacetBackendClass;

struct FacetBackend {
  const FacetBackendClass *klass;
  char                    *description; /* "cpu (avx512-vnni, 2 threads)" */
};

/* Bytes that kv_new would take. */
gsize facet_kv_bytes (const FacetKvLayer *layers, int n_layers, int context, int max_step, FacetKvType type);
/* The element type of a cache. */
FacetDtype facet_kv_dtype (FacetKvType type);
/* Bytes of one head's key or value row. */
gsize facet_kv_row_bytes (FacetKvType type, int head);
/* Positions a layer keeps: position p lies in slot p % length. */
int   facet_kv_layer_length (const FacetKvLayer *layer, int context, int max_step);

/* @threads 0: chosen. @exact: reference kernels with float activations. */
FacetBackend *facet_cpu_backend_new (int threads, gboolean exact);
