/* plan.h - a graph compiled for a Vulkan device
 *
 * Nodes become dispatches in order; a gate/up pair of products with its GEGLU
 * is one. Values lie in three buffers: the arena (shared by lifetime), the
 * upload block (written by the host before each step: what changes, rows of
 * tables that stay on the host, encoder inputs) and the kept values that the
 * host reads. Command buffers are recorded once; a barrier stands before a
 * dispatch only if it touches what an earlier one since the last barrier
 * wrote, or writes what one read. How many work groups a dispatch over rows
 * has depends on the step: it is read from the upload block, too.
 *
 * Submits are made of segments. A dispatch that may take long by itself is
 * recorded in parts, groups of all possible rows each, that lie in several
 * segments: parts change nothing in what is computed.
 */
#pragma once

#include "backend/placement.h"
#include "backend/rope-angles.h"
#include "backend/vulkan/vk.h"
#include "push.h"

/* Steps of at most this many rows use mat-vec kernels and split their keys. */
#define FACET_VK_FEW_ROWS 4

struct FacetKv {
  FacetVk       *vk;
  FacetKvType    type;
  int            n_layers;
  FacetKvLayer  *layers;
  int           *ring;      /* positions kept, by layer */
  gsize         *k_stride;  /* bytes of a head's keys, by layer */
  gsize         *v_stride;
  FacetVkBuffer *buffers;   /* by layer: all heads' keys, then their values */
};

/* Keys or values of heads first .. first + count - 1. */
FacetVkRange facet_vk_kv_k (const FacetKv *kv, int layer, int first, int count);
FacetVkRange facet_vk_kv_v (const FacetKv *kv, int layer, int first, int count);
/* Which variant of a shader takes it. */
const char  *facet_vk_cache_type (FacetKvType type);

typedef enum {
  FACET_VK_IN_ARENA,
  FACET_VK_FROM_HOST,
  FACET_VK_KEPT,
  FACET_VK_STAYS,    /* in the arena until the next run */
} FacetVkPlace;

/* A node's result, or scratch of a dispatch. */
typedef struct {
  FacetVkPlace place;
  FacetPlaced  placed;
  FacetVkRange range;
} FacetVkValue;

/* Stand for values in operands. */
#define FACET_VK_RANGE (-1)           /* a range of its own */
#define FACET_VK_SOFT (-2)            /* the step's soft rows */
#define FACET_VK_ROPE(t) (-3 - (t))   /* table t of angles */

typedef struct {
  int          value;  /* or one of the above */
  FacetVkRange range;  /* buffer NULL: nothing is bound */
  gboolean     write;
} FacetVkOperand;

typedef enum {
  FACET_VK_GROUPS_ROWS,      /* x and z by the number of rows */
  FACET_VK_GROUPS_ATTENTION, /* x by rows, z by splits of the keys */
  FACET_VK_GROUPS_MERGE,     /* as ROWS; none if the keys are not split */
  FACET_VK_GROUPS_BEST,      /* as ROWS; none if the step wants its whole result */
  FACET_VK_GROUPS_EXPERTS,   /* x by the most tiles that places of sorted experts can make */
} FacetVkGroups;

typedef struct {
  const char     *shader;        /* interned */
  guint32         constants[9];  /* of its specialisation */
  VkPipeline      pipeline;
  FacetVkOperand  operands[FACET_VK_BINDINGS]; /* binding 0 is the step block */
  guint8          push[FACET_VK_PUSH_BYTES];
  guint32         push_bytes;
  FacetVkGroups   kind;
  int             rows;          /* row class */
  guint32         rows_a_group;  /* of x */
  guint32         groups_a_row;  /* 1, unless rows have several parts; of EXPERTS: places a row */
  guint32         least_rows, most_rows; /* of a step; with others it has no groups */
  guint32         experts;       /* of EXPERTS */
  guint32         y;
  const FacetAttention *attention;
  guint32         split;         /* keys a split */
  double          cost;          /* operations with the most rows */
  gboolean        divisible;     /* groups past the step's rows end at once, and none asks how many there are */
} FacetVkDispatch;

typedef struct {
  VkCommandBuffer commands;
  double          cost;
} FacetVkSegment;

struct FacetPlan {
  FacetVk          *vk;
  const FacetGraph *graph;
  FacetKv          *kv;
  int               max_rows, max_outputs;
  GArray           *values;      /* FacetVkValue: of the nodes, then scratch */
  GArray           *dispatches;  /* FacetVkDispatch */
  FacetVkBuffer     arena, upload, kept;
  VkDescriptorPool  sets;
  GArray           *segments;    /* FacetVkSegment */
  VkCommandBuffer  *commands;    /* room for as many, of a submit */
  /* Of plans that keep the best of their result: their value, the whole's copy
   * on the host and what makes it; else -1. */
  int               best, whole;
  VkCommandBuffer   fetch;
  FacetRopeAngles   ropes;
  /* Where things begin in the upload block, in bytes. */
  gsize             step_bytes, indirect_at, *rope_at, soft_at;
  int               soft_cols;
};

/* ---- for the files that emit dispatches ---- */

/* A norm, perhaps with a sum and one more norm, that is emitted with a node. */
typedef struct {
  int      norm;     /* the first norm, or -1: the node is no such head */
  int      next;     /* the norm of the head's rows, or -1 */
  gboolean written;  /* the node's value is written by another one's chain */
} FacetVkChain;

typedef struct {
  FacetPlan *plan;
  int       *uses;       /* readers, by node */
  gboolean  *gated;      /* by node: a GEGLU that computes its two products */
  gboolean  *skip;       /* by node: nothing is emitted for it */
  gboolean  *joined;     /* by node: a norm or rotation of heads that is computed by what reads it */
  int       *eights;     /* by node: its rows in 8-bit integers, or -1 */
  int       *halves;     /* by node: its rows in 16-bit floats, or -1 */
  int       *orders;     /* by node: the places of a route sorted by their experts, or -1 */
  FacetVkChain *chains;  /* by node */
  GPtrArray *owned;      /* tensors made for the while */
} FacetVkCompiler;

guint32         facet_vk_capacity   (const FacetPlan *plan, int rows);
/* Heads of a layer's cache that one binding covers. */
int             facet_vk_heads_a_binding (const FacetPlan *plan, int layer);
/* A dispatch of shader @name over rows of class @rows, one row a group. */
gboolean        facet_vk_begin      (FacetVkCompiler *c, FacetVkDispatch *d, const char *name, const guint32 *constants, int n,
                                     int rows, GError **error);
void            facet_vk_bind       (FacetVkDispatch *d, int binding, int value, gboolean write);
void            facet_vk_bind_range (FacetVkDispatch *d, int binding, FacetVkRange range, gboolean write);
void            facet_vk_push       (FacetVkDispatch *d, gconstpointer push, gsize bytes);
void            facet_vk_end        (FacetVkCompiler *c, const FacetVkDispatch *d);
/* Adds a value that is no node's. */
int             facet_vk_scratch    (FacetVkCompiler *c, gsize bytes);
/* The only part of a vector. */
FacetVkRange    facet_vk_vector     (FacetVkCompiler *c, const FacetTensor *tensor);

/* Joins norms and sums into chains. */
void            facet_vk_find_chains (FacetVkCompiler *c);
/* Joins norms of heads into rotations, and both into what stores keys and
 * values; after the chains. */
void            facet_vk_find_heads (FacetVkCompiler *c);

/* How node @product, a product or experts, is computed. */
FacetVkTier     facet_vk_product_tier (const FacetVkCompiler *c, const FacetNode *product);
/* The value that holds node @x in 8-bit integers, made when first asked for;
 * @blocks: where its blocks begin, in their size. -1 on failure. */
int             facet_vk_eights     (FacetVkCompiler *c, int x, guint32 *blocks, GError **error);
/* A dispatch of a kernel whose lanes share an output: @name without form and
 * type, for weights of @dtype; @rows at once, 0 if it has no such constant.
 * @outputs: how many a work group has. */
gboolean        facet_vk_begin_lanes (FacetVkCompiler *c, FacetVkDispatch *d, const char *name, FacetDtype dtype, guint32 at_once, int rows,
                                     guint32 *outputs, GError **error);

struct FacetPushHalve; /* push-matrix.h */

/* Emit the dispatches of one node. */
gboolean facet_vk_emit_embed       (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_matmul      (FacetVkCompiler *c, int node, GError **error);
/* The same for products of tier MATRIX. */
gboolean facet_vk_emit_matrix      (FacetVkCompiler *c, int node, GError **error);
/* The value that holds node @x in 16-bit floats, made when first asked for; -1 on failure.
 * Each of @parts of a row has its scale. Fills in @push, which says where they lie. */
int      facet_vk_halves           (FacetVkCompiler *c, int x, guint32 parts, struct FacetPushHalve *push, GError **error);
/* Begins a dispatch of those products, of sorted experts or not, with tiles of so many rows and columns. */
gboolean facet_vk_begin_matrix     (FacetVkCompiler *c, FacetVkDispatch *d, FacetDtype dtype, const guint32 tile[2], guint32 products,
                                    gboolean sorted, int rows, GError **error);
/* Tiles of sorted experts that suit every tier which is in use: rows, with @average places an
 * expert (0: no type has tier MATRIX, any will do); columns. */
guint32  facet_vk_matrix_rows      (const FacetVk *vk, guint32 average);
guint32  facet_vk_matrix_columns   (const FacetVk *vk, guint32 rows, guint32 products);
gboolean facet_vk_emit_attention   (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_kv_store    (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_elementwise (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_chain       (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_norm        (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_rope        (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_outputs     (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_depthwise   (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_pool        (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_shape       (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_table_2d    (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_altup       (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_rotate      (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_row_statistics  (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_causal_conv     (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_local_attention (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_cumulative      (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_route           (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_experts_up      (FacetVkCompiler *c, int node, GError **error);
gboolean facet_vk_emit_experts_down    (FacetVkCompiler *c, int node, GError **error);
/* Rows from the first matrix of the gates to that of the other, if both are
 * views of one tensor; else 0. */
guint32  facet_vk_rows_between     (const FacetNode *n);
/* Adds the tensors that hold a node's experts. */
void     facet_vk_require_experts  (FacetVkCompiler *c, const FacetNode *n, GPtrArray *tensors);
/* The products of experts, with the rows of each brought together (of EXPERTS_UP
 * with its GEGLU), into value @out, for steps of @least rows at least. */
gboolean facet_vk_emit_sorted_experts  (FacetVkCompiler *c, const FacetNode *n, guint32 least, int out, GError **error);
/* The least rows with which that is faster; more than any step has, if it cannot be done. */
guint32  facet_vk_sorted_experts_least (const FacetVkCompiler *c, const FacetNode *n);

/* ---- emit-best.c ---- */

/* Whether the result stays on the device and its largest values are told. */
gboolean facet_vk_keeps_best (const FacetPlan *plan);
gboolean facet_vk_emit_best  (FacetVkCompiler *c, GError **error);
int      facet_vk_plan_best  (FacetPlan *plan, FacetBest *best);
gboolean facet_vk_plan_fetch (FacetPlan *plan, GError **error);

/* What of attention fits into a work group. */
gboolean facet_vk_check_attention  (FacetVk *vk, const FacetAttention *at, GError **error);

/* ---- record.c ---- */
gboolean facet_vk_record (FacetPlan *plan, GError **error);
/* Whether how many groups the dispatch has depends on the step. */
gboolean facet_vk_varies (const FacetPlan *plan, const FacetVkDispatch *d);
/* How many it has for @rows rows and @splits splits of the keys. */
VkDispatchIndirectCommand facet_vk_groups (const FacetVkDispatch *d, guint32 rows, guint32 splits);
/* What an operand covers. */
FacetVkRange facet_vk_resolve (const FacetPlan *plan, const FacetVkOperand *operand);

/* ---- run.c ---- */

/* How many groups the dispatch has in @step. */
VkDispatchIndirectCommand facet_vk_step_groups (const FacetPlan *plan, const FacetVkDispatch *d, const FacetStep *step);
/* Of attention: keys lo <= key < hi that its row @row sees, and splits of all rows' keys. */
void         facet_vk_visible_keys (const FacetStep *step, const FacetVkDispatch *d, int row, int *lo, int *hi);
guint32      facet_vk_count_splits (const FacetStep *step, const FacetVkDispatch *d);

/* ---- count.c ---- */
void         facet_vk_plan_count (FacetPlan *plan, const FacetStep *step, GArray *counts);

/* ---- of the backend ---- */
gboolean     facet_vk_supports  (FacetBackend *backend, const FacetGraph *graph, GError **error);
FacetPlan   *facet_vk_compile   (FacetBackend *backend, const FacetGraph *graph, FacetKv *kv, int max_rows, int max_outputs, GError **error);
void         facet_vk_plan_free (FacetPlan *plan);
gboolean     facet_vk_plan_run  (FacetPlan *plan, const FacetStep *step, FacetCancel *cancel, GError **error);
FacetKv     *facet_vk_kv_new    (FacetBackend *backend, const FacetKvLayer *layers, int n_layers, int context, int max_step, FacetKvType type,
                                 GError **error);
void         facet_vk_kv_free   (FacetKv *kv);
gboolean     facet_vk_kv_copy   (FacetKv *kv, int layer, int from, int n, gboolean into, guint8 *rows, GError **error);
