/* graph.h - the description of a computation that families write
 *
 * A graph is a list of nodes in execution order; each node is one matrix value
 * of 32-bit floats, [rows, cols], row-major. A family file builds one with the
 * functions below, a backend compiles it once into a plan (backend.h). Nothing
 * here touches data.
 *
 * Rows come in three classes:
 *   FACET_ROWS_TOKENS   one per token of the step (changes from step to step)
 *   FACET_ROWS_OUTPUTS  one per token whose logits are wanted
 *   n > 0               fixed, as in encoders
 *
 * Thread-safety: built by one thread, then immutable.
 */
#pragma once

#include "gguf/gguf.h"

#define FACET_ROWS_TOKENS (-1)
#define FACET_ROWS_OUTPUTS (-2)
#define FACET_MAX_SRC 4
#define FACET_MAX_LOCAL_KEYS 64 /* of LOCAL_ATTENTION */

typedef enum {
  FACET_OP_EMBED,     /* rows of w[0] for the step's ids, times f[0]; soft rows as they are */
  FACET_OP_LOOKUP,    /* columns i[0] .. of rows of w[0] for the step's ids, times f[0]; the table's row 0 for soft
                         rows and for ids beyond it. Read from the file's map row by row: w[0] is never copied whole */
  FACET_OP_INPUT,     /* host data of input slot i[0] */
  FACET_OP_TABLE,     /* the rows of w[0] (ne = {cols, rows}) as they are, e.g. positions of an encoder */
  FACET_OP_TABLE_2D,  /* of a map with i[0] columns: row r is row r % i[0] of w[0] + row r / i[0] of w[1] */
  FACET_OP_OUTPUTS,   /* the step's output rows of src[0]: TOKENS -> OUTPUTS */
  FACET_OP_COLUMNS,   /* columns i[0] .. of src[0] */
  FACET_OP_MATMUL,    /* src[0] [r, K] x w[0] (ne = {K, M}) -> [r, M]; + w[1] [M] if given */
  /* mixtures of experts; w[0], w[1] hold the matrices of all experts, i[1] rows from one to the next */
  FACET_OP_ROUTE,        /* the i[0] largest of src[0] in falling order: [their numbers, softmax over them * w[0][number]] */
  FACET_OP_EXPERTS_UP,   /* src = x, route: gelu (x w[0]) * (x w[1]) of each chosen expert side by side */
  FACET_OP_EXPERTS_DOWN, /* src = that, route: the sum of each expert's part x w[0] times its weight */
  FACET_OP_RMS_NORM,  /* x / sqrt(mean(x^2) + f[0]) * w[0], over groups of i[0] columns; w[0] may be NULL */
  FACET_OP_LAYER_NORM,/* (x - mean) / sqrt(var + f[0]) * w[0] + w[1] */
  FACET_OP_ADD,       /* src[0] + src[1]; src[1] may have 1 row */
  FACET_OP_MUL,       /* src[0] * src[1], elementwise; src[1] may have 1 row */
  FACET_OP_SCALE,     /* src[0] * f[0] */
  FACET_OP_GELU,      /* tanh form: x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
  FACET_OP_GEGLU,     /* gelu(src[0]) * src[1] */
  FACET_OP_ROPE,      /* half-split rotation of each head of i[0] columns; FacetRope in u.rope */
  FACET_OP_ROTATE,    /* half-split rotation by given angles: src[1] has, for each group of i[0] of its columns, i[0]/2
                         cosines and i[0]/2 sines; it is applied to every run of that many columns of src[0] */
  FACET_OP_KV_STORE,  /* src[0] = K, src[1] = V into cache layer i[0]; value: none */
  FACET_OP_ATTENTION, /* FacetAttention in u.attention; src[0] = q, K/V from cache or src[1], src[2] */
  FACET_OP_SOFTCAP,   /* f[0] * tanh(x / f[0]) */
  FACET_OP_POOL,      /* average pooling of an i[0] x i[1] map of rows by k = i[2] */
  /* of the sound encoders; a map is [map rows * map cols, channels] or the same memory in another shape */
  FACET_OP_PATCHES,   /* 3x3 neighbourhoods, stride 2, of an i[0] x i[1] map, i[2] zero rows before it and one zero
                         column; -> [out map, channel * 9 + row * 3 + col]; i[3] = columns of the out map */
  FACET_OP_RESHAPE,   /* the same memory with other rows and columns */
  FACET_OP_RELU,      /* max (x, 0) */
  FACET_OP_SILU,      /* x / (1 + exp (-x)) */
  FACET_OP_CLAMP,     /* min (max (x, f[0]), f[1]) */
  FACET_OP_GLU,       /* first half of the columns / (1 + exp (-second half)) */
  FACET_OP_CAUSAL_CONV,     /* each column alone: sum_i x[row - (k-1) + i] * w[0][i], w[0] ne = {cols, k} F32 */
  FACET_OP_LOCAL_ATTENTION, /* src = q, k, v, pos; row t sees t - i[1] .. t; score q.(k + pos[distance]) of each of
                               i[0] heads, soft-capped at f[0] */
  FACET_OP_EVERY,     /* rows 0, i[0], 2 i[0] ... */
  FACET_OP_CUM_STATS, /* of a map with i[0] rows a time: per time t {mean, 1 / sqrt (variance + f[0])} over all values
                         of times <= t; the variance sums squares around each time's own running mean */
  FACET_OP_CUM_NORM,  /* (x - mean) * the factor of src[1] * w[0] by channel; i[0] rows a time */
  /* of MobileNet; a map is [i[0] rows * i[1] columns, channels], padded with zeros to ceil (n / stride) values a
     side, the smaller half first */
  FACET_OP_CONV,      /* i[2] x i[2] with stride i[3]; w[0] ne = {channels * i[2] * i[2], out}, rows by channel, row,
                         column; + w[1] if given */
  FACET_OP_DEPTHWISE, /* each channel alone; w[0] ne = {channels, i[2] * i[2]} F32 */
  FACET_OP_UPSAMPLE,  /* each value i[2] x i[2] times */
  /* of Gemma 3n's decoder; streams lie side by side in a row, the first one first */
  FACET_OP_CONCAT,        /* columns of src[0], then those of src[1] */
  FACET_OP_MATCH_RMS,     /* src[0] scaled to the root mean square of src[1]; its own mean square counts as 1e-5 at least */
  FACET_OP_GAUSSIAN_TOPK, /* max (x - (mean + f[0] * standard deviation), 0) over the row's n values; variance over n */
  FACET_OP_ALTUP_PREDICT, /* src[0] = i[0] streams, src[1] [i[0] * i[0]]: stream i + sum_j src[1][i][j] * stream j */
  FACET_OP_ALTUP_CORRECT, /* src[0] = i[0] streams predicted, src[1] = what was made of number i[1], src[2] [i[0]]:
                             stream i + (1 + src[2][i]) * (src[1] - stream i[1]) */
  FACET_OP_ALTUP_INJECT,  /* src[0] = i[0] streams: src[1] added to all but the first */
  FACET_OP_COUNT,
} FacetOp;

typedef struct {
  float base;             /* theta_i = position * scale * base^(-2i/head) */
  float scale;            /* 1 / linear factor */
  int   head;             /* columns a head; pairs (i, i + head/2) */
  const float *divisors;  /* [head/2], theta_i is divided by it; NULL: all 1 */
} FacetRope;

typedef struct {
  int   cache;      /* layer of the KV cache, or -1: K = src[1], V = src[2] */
  int   n_head;     /* query heads */
  int   n_kv;       /* key/value heads; query head h reads h / (n_head / n_kv) */
  int   head_k;     /* columns of a q or k head */
  int   head_v;
  int   window;     /* keys at distance < window, 0: all */
  float scale;
  float softcap;    /* of the scores, 0: none */
  gboolean causal;  /* k <= visible end of the row, else all keys */
  gboolean spans;   /* the step's picture spans see each other in both directions */
} FacetAttention;

typedef struct {
  FacetOp  op;
  int      rows, cols;
  int      src[FACET_MAX_SRC];        /* node numbers, -1: none */
  const FacetTensor *w[2];
  float    f[2];
  int      i[4];
  union {
    FacetRope      rope;
    FacetAttention attention;
  } u;
  int      layer;    /* the layer whose output this is for --dump-layers; else FACET_NOT_A_LAYER */
  int      block;    /* of the network, from 0; -1: before the first, or the graph is not divided */
} FacetNode;

#define FACET_NOT_A_LAYER (-2)
/* In place of a layer: a value that is read from outside the graph. */
#define FACET_KEPT (-3)

typedef struct FacetGraph FacetGraph;

FacetGraph      *facet_graph_new   (void);
void             facet_graph_free  (FacetGraph *graph);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (FacetGraph, facet_graph_free)

int              facet_graph_n_nodes (const FacetGraph *graph);
const FacetNode *facet_graph_node    (const FacetGraph *graph, int index);
/* The node whose value the caller reads after a step (logits, soft tokens). */
void             facet_graph_set_result (FacetGraph *graph, int node);
int              facet_graph_result     (const FacetGraph *graph);
/* Multiplications and additions of the products, of attention without a cache
 * and of causal convolutions, for graphs whose rows are all fixed. */
guint64          facet_graph_work       (const FacetGraph *graph);
/* Marks @node as the output of @layer (-1: the embeddings). */
void             facet_graph_mark_layer (FacetGraph *graph, int node, int layer);

/* Nodes that follow belong to @block. Blocks come in order and are what may be
 * divided among backends; what comes after the last has the next number. */
void             facet_graph_begin_block (FacetGraph *graph, int block);

/* Nodes from .. to-1 as a graph of their own: values of earlier nodes become
 * inputs, @inputs (of int) receives the nodes by slot, @numbers [n_nodes]
 * those of the copies (-1: none). There may be no INPUT nodes yet. @keep (of
 * int; may be NULL) are nodes whose values must stay readable.
 * Returns: (transfer full). */
FacetGraph      *facet_graph_part (const FacetGraph *graph, int from, int to, const GArray *keep, GArray *inputs, int *numbers);

/* ---- builders: each returns the number of its node ---- */
int facet_g_embed      (FacetGraph *g, const FacetTensor *table, float scale);
/* @rows: FACET_ROWS_TOKENS or FACET_ROWS_OUTPUTS. */
int facet_g_lookup     (FacetGraph *g, const FacetTensor *table, int rows, int first_col, int cols, float scale);
int facet_g_input      (FacetGraph *g, int slot, int rows, int cols);
int facet_g_table      (FacetGraph *g, const FacetTensor *table);
/* Of a map of @map_rows x @map_cols; the tables have at least as many rows. */
int facet_g_table_2d   (FacetGraph *g, const FacetTensor *by_col, const FacetTensor *by_row, int map_rows, int map_cols);
int facet_g_outputs    (FacetGraph *g, int x);
int facet_g_columns    (FacetGraph *g, int x, int first_col, int cols);
int facet_g_matmul     (FacetGraph *g, int x, const FacetTensor *w, const FacetTensor *bias);
/* -> [r, 2 chosen]; @scale [experts] may be NULL. */
int facet_g_route        (FacetGraph *g, int scores, int chosen, const FacetTensor *scale);
/* @gate, @up: ne = { K, F, experts }, @stride rows from expert to expert; -> [r, chosen F]. */
int facet_g_experts_up   (FacetGraph *g, int x, int route, const FacetTensor *gate, const FacetTensor *up, int stride);
/* @down: ne = { F, M, experts }; -> [r, M]. */
int facet_g_experts_down (FacetGraph *g, int x, int route, const FacetTensor *down);
int facet_g_rms_norm   (FacetGraph *g, int x, const FacetTensor *gain, int group, float eps);
int facet_g_layer_norm (FacetGraph *g, int x, const FacetTensor *gain, const FacetTensor *bias, float eps);
int facet_g_add        (FacetGraph *g, int a, int b);
int facet_g_mul        (FacetGraph *g, int a, int b);
int facet_g_scale      (FacetGraph *g, int x, float factor);
int facet_g_gelu       (FacetGraph *g, int x);
int facet_g_geglu      (FacetGraph *g, int gate, int up);
int facet_g_rope       (FacetGraph *g, int x, const FacetRope *rope);
int facet_g_rotate     (FacetGraph *g, int x, int angles, int group);
int facet_g_kv_store   (FacetGraph *g, int k, int v, int cache_layer);
int facet_g_attention  (FacetGraph *g, int q, int k, int v, const FacetAttention *attention);
int facet_g_softcap    (FacetGraph *g, int x, float cap);
int facet_g_pool       (FacetGraph *g, int x, int map_rows, int map_cols, int k);

/* Values a side after a convolution with this stride. */
int facet_conv_out     (int n, int stride);
int facet_g_conv       (FacetGraph *g, int x, int map_rows, int map_cols, int k, int stride, const FacetTensor *w, const FacetTensor *bias);
int facet_g_depthwise  (FacetGraph *g, int x, int map_rows, int map_cols, int k, int stride, const FacetTensor *w);
int facet_g_upsample   (FacetGraph *g, int x, int map_rows, int map_cols, int factor);

int facet_g_concat        (FacetGraph *g, int a, int b);
int facet_g_match_rms     (FacetGraph *g, int x, int like);
int facet_g_gaussian_topk (FacetGraph *g, int x, float n_std);
int facet_g_altup_predict (FacetGraph *g, int streams, int coefficients, int n_streams);
int facet_g_altup_correct (FacetGraph *g, int predicted, int activated, int coefficients, int active);
int facet_g_altup_inject  (FacetGraph *g, int streams, int x);

int facet_g_patches         (FacetGraph *g, int x, int map_rows, int map_cols, int zero_rows_before);
int facet_g_reshape         (FacetGraph *g, int x, int rows, int cols);
int facet_g_relu            (FacetGraph *g, int x);
int facet_g_silu            (FacetGraph *g, int x);
int facet_g_clamp           (FacetGraph *g, int x, float low, float high);
int facet_g_glu             (FacetGraph *g, int x);
int facet_g_causal_conv     (FacetGraph *g, int x, const FacetTensor *w);
int facet_g_local_attention (FacetGraph *g, int q, int k, int v, int pos, int n_head, float softcap);
int facet_g_every           (FacetGraph *g, int x, int step);
/* Normalises over times: statistics, then the rows. */
int facet_g_cum_norm        (FacetGraph *g, int x, int rows_a_time, const FacetTensor *gain, float eps);
