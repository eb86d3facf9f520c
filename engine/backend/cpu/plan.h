/* plan.h - a graph compiled for the CPU
 *
 * A plan is a flat array of steps with a barrier after each. Three kinds:
 *   rows     consecutive row-wise nodes run row after row without a barrier
 *            between them (norms, adds, RoPE, KV store, embedding ...)
 *   matmul   consecutive products of one input, split by output columns; a
 *            gate/up pair with its GEGLU is one step and never stored apart
 *   attention, then the merge of its key splits
 * Work is handed out in chunks by an atomic counter; results do not depend on
 * who takes which chunk, nor on the number of threads.
 */
#pragma once

#include "backend/backend.h"
#include "backend/cpu/kernels.h"
#include "backend/cpu/threadpool.h"
#include "backend/rope-angles.h"

typedef struct {
  FacetBackend        base;
  FacetPool          *pool;
  const FacetKernels *kernels;
  gboolean            exact;
} FacetCpu;

struct FacetKv {
  FacetKvType   type;
  int           n_layers;
  FacetKvLayer *layers;
  int          *length;   /* positions kept, per layer */
  guint8      **k, **v;   /* [n_kv][length] rows, per layer */
  void         *memory;
  gsize         bytes;
};

/* A node's value in the plan's arena. */
typedef struct {
  float  *data;           /* [max rows, cols]; NULL: never stored */
  FacetQ8 q8;             /* the same in 8 bits, if a product reads it so; else q NULL */
} FacetValue;

typedef struct FacetCpuStep FacetCpuStep;
typedef struct FacetCpuRun  FacetCpuRun;

struct FacetCpuStep {
  void (*run) (FacetCpuRun *run, const FacetCpuStep *step, int member);
  int   first, n;         /* its nodes: first .. first + n - 1 */
  int   rows;             /* row class */
  int   after;            /* of a product: the node that is its GELU or its limits and computed with it; 0: none */
};

struct FacetPlan {
  FacetCpu         *cpu;
  const FacetGraph *graph;
  FacetKv          *kv;
  int               max_rows, max_outputs;
  FacetValue       *values;      /* by node */
  FacetCpuStep     *steps;
  int               n_steps;
  guint8           *arena;
  gsize             arena_bytes;
  FacetRopeAngles   ropes;
  float           **rope_cs;     /* by table: [max rows] rows of it */
  guint8          **scratch;     /* by member */
  float            *splits;      /* partial attention results, see steps-attention.c */
};

/* One call of run(). */
struct FacetCpuRun {
  FacetPlan       *plan;
  const FacetStep *step;
  FacetCancel     *cancel;
  gint            *counters;     /* next chunk, by step */
  gint             stop_at;      /* step after which everyone leaves */
};

/* Most rows that a step may have in class @rows. */
int   facet_cpu_capacity (const FacetPlan *plan, int rows);
/* Rows of this step in class @rows. */
int   facet_cpu_rows (const FacetCpuRun *run, int rows);
/* The next chunk of this step for the caller, or -1: none left or cancelled. */
int   facet_cpu_next_chunk (FacetCpuRun *run, const FacetCpuStep *step, int n_chunks);
/* Writes columns c0..c1-1 of row @row of a value in 8 bits too, if it is kept so. */
void  facet_cpu_emit (const FacetPlan *plan, int node, int row, int c0, int c1);

void  facet_cpu_step_rows       (FacetCpuRun *run, const FacetCpuStep *step, int member);
void  facet_cpu_step_emit       (FacetCpuRun *run, const FacetCpuStep *step, int member);
void  facet_cpu_step_rope       (FacetCpuRun *run, const FacetCpuStep *step, int member);
void  facet_cpu_step_matmul     (FacetCpuRun *run, const FacetCpuStep *step, int member);
void  facet_cpu_step_gated      (FacetCpuRun *run, const FacetCpuStep *step, int member);
void  facet_cpu_step_experts_up   (FacetCpuRun *run, const FacetCpuStep *step, int member);
void  facet_cpu_step_experts_down (FacetCpuRun *run, const FacetCpuStep *step, int member);
void  facet_cpu_row_route       (const FacetCpuRun *run, int node, int row);
void  facet_cpu_step_attention  (FacetCpuRun *run, const FacetCpuStep *step, int member);
void  facet_cpu_step_merge      (FacetCpuRun *run, const FacetCpuStep *step, int member);

/* Bytes of scratch that a member needs for this node. */
gsize facet_cpu_matmul_scratch    (const FacetPlan *plan, const FacetNode *node);
gsize facet_cpu_experts_scratch   (const FacetPlan *plan, const FacetNode *node);
gsize facet_cpu_attention_scratch (const FacetNode *node);
/* Floats of plan->splits that this node needs. */
gsize facet_cpu_attention_splits  (const FacetPlan *plan, const FacetNode *node);

/* y [rows, stride] = x times @n rows of @w from row @first on; of x or xq, what the weight's kernel reads. */
void facet_cpu_multiply (const FacetPlan *plan, const FacetTensor *w, gsize first, int n, const float *x, const FacetQ8 *xq,
                         int rows, const float *bias, float *y, gsize stride, void *scratch);
/* Whether a product with this weight reads 8-bit activations. */
gboolean facet_cpu_uses_q8 (const FacetCpu *cpu, const FacetTensor *weight);

FacetPlan   *facet_cpu_compile    (FacetBackend *backend, const FacetGraph *graph, FacetKv *kv,
                                   int max_rows, int max_outputs, GError **error);
void         facet_cpu_plan_free  (FacetPlan *plan);
gboolean     facet_cpu_plan_run   (FacetPlan *plan, const FacetStep *step, FacetCancel *cancel, GError **error);

FacetKv     *facet_cpu_kv_new     (FacetBackend *backend, const FacetKvLayer *layers, int n_layers,
                                   int context, int max_step, FacetKvType type, GError **error);
void         facet_cpu_kv_free    (FacetKv *kv);
gboolean     facet_cpu_kv_copy    (FacetKv *kv, int layer, int from, int n, gboolean into, guint8 *rows, GError **error);
/* Row of head @head at @position of a layer's keys or values. */
guint8      *facet_cpu_kv_k       (const FacetKv *kv, int layer, int head, int position);
guint8      *facet_cpu_kv_v       (const FacetKv *kv, int layer, int head, int position);
