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
  gboolean      only_best;    /* best() suffices: the result need not be brought to the host where it can be asked for */
  /* NULL, or called in the calling thread now and then: how much of the plan is done. */
  void        (*progress) (int done, int total, gpointer data);
  gpointer      progress_data;
} FacetStep;

/* A column of a result that stands out, and the most that are told of. */
typedef struct {
  float  value;
  gint32 column;
} FacetBest;

#define FACET_N_BEST 128

/* What a backend with a device says of it. */
typedef struct {
  const char *identity;      /* digest of device, driver and programs; the backend's */
  gboolean    shares_memory; /* it computes in the memory of the processor, as integrated ones do */
  guint64     room;          /* bytes of its memory that are left */
} FacetDeviceFacts;

typedef struct {
  const char *name;

  /* Whether compile() knows every operation of @graph at its sizes and does it
   * right, or UNSUPPORTED says which it does not. NULL: it knows all. What was
   * never used here is tested, which takes as long as a compile(). */
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

  /* Of plans with one output row whose result stays on a device. Either may be
   * NULL: there are none. best() tells the result's largest numbers in falling
   * order, equal ones by column: FACET_N_BEST, or all that are numbers. It
   * returns how many, -1 of other plans. Both are for runs with only_best:
   * value() has such a result once fetch() has brought it. */
  int         (*best)     (FacetPlan *plan, FacetBest *best);
  gboolean    (*fetch)    (FacetPlan *plan, GError **error);

  /* Adds to @counts (FacetKernelCount, each kernel once) what a step would move
   * and compute, without running it. NULL: unknown. */
  void       (*count)     (FacetPlan *plan, const FacetStep *step, GArray *counts);

  FacetKv   *(*kv_new)    (FacetBackend *backend, const FacetKvLayer *layers, int n_layers,
                           int context, int max_step, FacetKvType type, GError **error);
  void       (*kv_free)   (FacetKv *kv);
  /* Copies positions from .. from + n - 1 of a layer out of the cache or into
   * it; they must lie side by side in its ring. @rows: of each head the keys,
   * then of each head the values, facet_kv_row_bytes() a row. */
  gboolean   (*kv_copy)   (FacetKv *kv, int layer, int from, int n, gboolean into, guint8 *rows, GError **error);

  /* Of backends with a device, else NULL. */
  void       (*facts)     (FacetBackend *backend, FacetDeviceFacts *facts);
  /* Microseconds so far that work was given to the device and waited for; -1:
   * not all work is its own. */
  gint64     (*driver_us) (FacetBackend *backend);
  /* Whether the weight has been brought to the device. */
  gboolean   (*holds)     (FacetBackend *backend, const FacetTensor *tensor);
  /* Lets go of all weights there; no plan may be left. */
  void       (*forget)    (FacetBackend *backend);

  void       (*free)      (FacetBackend *backend);
} FacetBackendClass;

struct FacetBackend {
  const FacetBackendClass *klass;
  char                    *description; /* "cpu (avx512-vnni, 2 threads)" */
  /* Of the compile() or supports() that runs: bringing weights to a device and
   * building its programs takes seconds. Either may be NULL; CANCELLED leaves
   * nothing behind. */
  FacetCancel             *cancel;
  void                   (*progress) (guint64 done, guint64 total, gpointer data);
  gpointer                 progress_data;
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
