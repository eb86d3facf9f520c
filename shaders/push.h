/* push.h - what C and the shaders agree on
 *
 * Included by both: parameters of each shader (push constants, filled in when
 * a plan is recorded and never changed). Only uint and float members, and
 * structs of them, so that the layouts of C and std430 are the same.
 */
#ifndef FACET_PUSH_H
#define FACET_PUSH_H

#ifndef VULKAN
#include <sys/types.h>
#endif

#include "push-sort.h"
#include "step.h"

/* Functions of elementwise.comp. */
#define FACET_EW_ADD 0
#define FACET_EW_MUL 1
#define FACET_EW_SCALE 2
#define FACET_EW_GELU 3
#define FACET_EW_GEGLU 4
#define FACET_EW_SOFTCAP 5
#define FACET_EW_RELU 6
#define FACET_EW_SILU 7
#define FACET_EW_CLAMP 8
#define FACET_EW_GLU 9

/* Functions of shape.comp. */
#define FACET_SHAPE_COLUMNS 0
#define FACET_SHAPE_CONCAT 1
#define FACET_SHAPE_EVERY 2
#define FACET_SHAPE_COPY 3
#define FACET_SHAPE_PATCHES 4
#define FACET_SHAPE_UPSAMPLE 5

/* Functions of altup.comp. */
#define FACET_ALTUP_PREDICT 0
#define FACET_ALTUP_CORRECT 1
#define FACET_ALTUP_INJECT 2

/* Functions of row-statistics.comp. */
#define FACET_ROW_MATCH_RMS 0
#define FACET_ROW_GAUSSIAN_TOPK 1

/* Threads of a work group of matvec.comp and experts.comp; of matmul.comp,
 * which are a square of MATMUL_SIDE. */
#define FACET_MATVEC_THREADS 128
#define FACET_MATMUL_THREADS 256
#define FACET_MATMUL_SIDE 16
/* Threads of those of matmul-lanes.glsl. */
#define FACET_MATMUL_LANES 8

/* Query rows of a work group of attention.comp, threads and keys of a tile. */
#define FACET_ATTENTION_ROWS 8
#define FACET_ATTENTION_KEYS 64

/* Values of a work group of best.comp, how many it keeps, and a column that
 * stands for none. */
#define FACET_BEST_SLICE 2048
#define FACET_BEST 128
#define FACET_BEST_NONE 0xffffffffu

struct FacetPushMatmul {
  uint rows;       /* row class of x and y */
  uint k;          /* columns of x */
  uint m;          /* rows of the part of w, columns of y that it gives */
  uint row_bytes;  /* of w */
  uint y_stride;   /* columns of y */
  uint y_first;    /* the first of them */
  uint has_bias;
  uint x_blocks;   /* of x in 8-bit integers: where its blocks begin, in their size */
  /* of convolutions: windows of side x side places of a map */
  uint map_rows, map_cols;
  uint side, stride;
  uint pad_top, pad_left;
  FacetSorted sorted; /* of experts */
};

struct FacetPushQuantize {
  uint rows;
  uint k;          /* columns, a multiple of 32 */
  uint blocks;     /* as x_blocks */
};

struct FacetPushDepthwise {
  uint cols;
  uint map_rows, map_cols;
  uint side, stride;
  uint pad_top, pad_left;
};

struct FacetPushEmbed {
  uint cols;
  uint row_bytes;
  uint first;      /* row of the table that this part begins with */
  uint count;      /* rows of the part */
  uint rows;       /* row class; fixed: see divide */
  uint soft;       /* whether this part copies soft rows */
  float scale;
  uint divide;     /* fixed rows: row r is row r / divide % modulo of the table */
  uint modulo;
};

struct FacetPushRows {
  uint rows;
  uint cols;
  float a, b;      /* of the function */
  uint one_row;    /* the second source has one row for all */
};

struct FacetPushNorm {
  uint rows;
  uint group;      /* columns that are normalised together */
  uint groups;     /* of them a row */
  float eps;
  uint has_gain;
  uint has_bias;
};

struct FacetPushChain {
  uint rows;
  uint cols;
  float eps, next_eps;
  uint has_gain, has_residual, has_next_gain;
  uint write_v, write_w;
  uint eights;     /* whether the last is also written in 8-bit integers */
  uint blocks;     /* as x_blocks */
};

struct FacetPushRope {
  uint rows;
  uint head;
  uint heads;
  uint normed, has_gain; /* whether heads are normalised first */
  float eps;
};

struct FacetPushStore {
  uint n_kv;       /* heads of a row of keys or values */
  uint first;      /* the first of them that the bound part of the cache holds */
  uint count;      /* how many */
  uint head_k, head_v;
  uint ring;       /* positions kept */
  uint k_stride;   /* bytes of a head's ring */
  uint v_stride;
  /* What is done before: heads are normalised, then keys rotated. */
  uint normed_k, normed_v;
  uint has_gain_k, has_gain_v;
  float eps_k, eps_v;
  uint rotated;
};

struct FacetPushAttention {
  uint rows;
  uint n_head, n_kv;
  uint first_kv;   /* the KV head that the bound part of the cache begins with */
  uint head_k, head_v;
  uint ring;       /* positions that the cache keeps; without a cache 0 */
  uint n_keys;     /* without a cache: row class of the keys */
  uint k_stride;   /* bytes of a head's ring; without a cache, of a row */
  uint v_stride;
  uint window;
  uint causal, spans;
  uint split;      /* keys a split */
  float scale;
  float softcap;
};

struct FacetPushPool {
  uint map_rows, map_cols;
  uint k;
  uint cols;
};

struct FacetPushShape {
  uint rows;
  uint cols;
  uint a_cols, b_cols;      /* columns of the sources */
  uint i0, i1, i2, i3;      /* as the node's i[] */
};

struct FacetPushBest {
  uint count;      /* values */
};

struct FacetPushAltup {
  uint rows;
  uint cols;       /* of all streams */
  uint streams;
  uint made;       /* number of the stream that something was made of */
};

struct FacetPushRotate {
  uint rows;
  uint cols;
  uint group;
  uint period;     /* columns of the angles */
};

struct FacetPushConv {
  uint rows;
  uint cols;
  uint taps;
};

struct FacetPushLocalAttention {
  uint rows;
  uint cols;
  uint head;
  uint span;       /* rows before its own that a row sees */
  float softcap;
};

struct FacetPushCumulative {
  uint rows;       /* of the map */
  uint cols;
  uint rows_a_time;
  float eps;
};

struct FacetPushRoute {
  uint rows;
  uint experts;
  uint chosen;
  uint has_scale;
};

struct FacetPushSort {
  uint rows;
  uint experts;
  uint chosen;
  uint tile;       /* places of a tile at most */
  uint places;     /* as of products */
};

struct FacetPushExperts {
  uint rows;       /* row class of x */
  uint k;
  uint m;          /* columns of an expert */
  uint row_bytes;
  uint stride;     /* rows of w from expert to expert */
  uint offset;     /* row of the first expert */
  uint first;      /* row of w that the bound part begins with */
  uint count;      /* rows of the part */
  uint chosen;
  uint x_cols;
  uint x_step;     /* columns of x from slot to slot */
  uint x_blocks;   /* as of products */
};

#endif
