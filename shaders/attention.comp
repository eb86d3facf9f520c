// Attention with a running softmax (FlashAttention, arXiv 2205.14135). A work
// group takes ROWS queries that share a KV head (query i is head i % group of
// row i / group) and walks over keys in tiles of KEYS, one a thread. With
// several splits (z), each writes {max, sum, weighted values} for
// attention-merge.comp.
#version 450
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#include "common.glsl"
#include "bytes.glsl"
#include "activations.glsl"

#define KEYS FACET_ATTENTION_KEYS
#define CHUNK 16
// Finite, so that differences are never NaN.
#define LOWEST -3.0e38

layout (local_size_x = KEYS) in;
layout (constant_id = 0) const uint ROWS = FACET_ATTENTION_ROWS;
layout (constant_id = 1) const uint HEAD_K = 256;
layout (push_constant) uniform Push { FacetPushAttention p; };
layout (set = 0, binding = 1, std430) writeonly buffer Y { float y[]; };
layout (set = 0, binding = 2, std430) readonly buffer Q { float q[]; };
#define WEIGHT_BINDING 3
#define WEIGHT(name) k_ ## name
#include "weights.glsl"
#undef WEIGHT_BINDING
#undef WEIGHT
#define WEIGHT_BINDING 4
#define WEIGHT(name) v_ ## name
#include "weights.glsl"
layout (set = 0, binding = 5, std430) writeonly buffer Parts { float parts[]; };
#include "visible.glsl"

#if defined TYPE_F32
#define ROW_BYTES(n) ((n) * 4)
#elif defined TYPE_F16
#define ROW_BYTES(n) ((n) * 2)
#else
#define ROW_BYTES(n) ((n) / 32 * 34)
#endif

shared float shared_q[ROWS * HEAD_K];
shared float chunk[KEYS][CHUNK + 1];
shared float score[ROWS][KEYS];
shared float lanes[ROWS][KEYS / ROWS];
shared int lo[ROWS], hi[ROWS];
shared vec4 gathered[KEYS][2];

uint thread = gl_LocalInvocationID.x, kv_head = p.first_kv + gl_WorkGroupID.y;
uint group = p.n_head / p.n_kv, first_query = gl_WorkGroupID.x * ROWS;
float most[ROWS], sum[ROWS];
vec4 acc[ROWS][2];

uint row_at (int key, uint stride, uint head)
{
  // Without a cache keys are rows of n_kv heads.
  if (p.ring == 0)
    return uint (key) * stride + kv_head * head * 4;
  return gl_WorkGroupID.y * stride + uint (key) % p.ring * ROW_BYTES (head);
}

void load_queries (uint n_queries)
{
  for (uint i = thread; i < ROWS * HEAD_K; i += KEYS) {
    uint query = first_query + i / HEAD_K, row = query / group, head = kv_head * group + query % group;

    shared_q[i] = query < n_queries ? q[(row * p.n_head + head) * HEAD_K + i % HEAD_K] * p.scale : 0.0;
  }
  if (thread < ROWS) {
    ivec2 keys = first_query + thread < n_queries ? visible_keys ((first_query + thread) / group) : ivec2 (0);

    lo[thread] = keys.x;
    hi[thread] = keys.y;
  }
}

// Scores of the tile that begins at @key, this thread's key against each query.
void score_tile (int key, int to)
{
  float s[ROWS];

  for (uint r = 0; r < ROWS; r++)
    s[r] = 0;
  for (uint c = 0; c < HEAD_K; c += CHUNK) {
    barrier ();
    for (uint i = thread; i < KEYS * CHUNK / 8; i += KEYS) {
      uint j = i / (CHUNK / 8), at = i % (CHUNK / 8) * 8;
      vec4 a = vec4 (0), b = vec4 (0);

      if (key + int (j) < to && c + at < HEAD_K)
        k_load (row_at (key + int (j), p.k_stride, HEAD_K), c + at, HEAD_K, a, b);
      for (uint e = 0; e < 4; e++) {
        chunk[j][at + e] = a[e];
        chunk[j][at + 4 + e] = b[e];
      }
    }
    barrier ();
    for (uint e = 0; e < min (CHUNK, HEAD_K - c); e++)
      for (uint r = 0; r < ROWS; r++)
        s[r] += shared_q[r * HEAD_K + c + e] * chunk[thread][e];
  }
  for (uint r = 0; r < ROWS; r++) {
    int j = key + int (thread);

    if (p.softcap > 0)
      s[r] = soft_cap (s[r], p.softcap);
    score[r][thread] = j >= lo[r] && j < min (hi[r], to) ? s[r] : LOWEST;
  }
}

// Turns scores into weights relative to the new maxima.
void soften ()
{
  uint row = thread / (KEYS / ROWS), lane = thread % (KEYS / ROWS);
  float v = LOWEST, factor[ROWS];

  barrier ();
  for (uint i = 0; i < ROWS; i++)
    v = max (v, score[row][lane * ROWS + i]);
  lanes[row][lane] = v;
  barrier ();
  for (uint r = 0; r < ROWS; r++) {
    float top = most[r];

    for (uint i = 0; i < KEYS / ROWS; i++)
      top = max (top, lanes[r][i]);
    factor[r] = exp (most[r] - top);
    most[r] = top;
    score[r][thread] = score[r][thread] == LOWEST ? 0.0 : exp (score[r][thread] - top);
  }
  barrier ();
  v = 0;
  for (uint i = 0; i < ROWS; i++)
    v += score[row][lane * ROWS + i];
  lanes[row][lane] = v;
  barrier ();
  for (uint r = 0; r < ROWS; r++) {
    sum[r] *= factor[r];
    for (uint i = 0; i < KEYS / ROWS; i++)
      sum[r] += lanes[r][i];
    acc[r][0] *= factor[r];
    acc[r][1] *= factor[r];
  }
}

// A thread owns eight columns and every n-th key.
void add_values (int key, int to, uint columns, uint part, uint n_parts)
{
  if (part >= n_parts)
    return;
  for (int j = int (part); j < KEYS && key + j < to; j += int (n_parts)) {
    vec4 a, b;

    v_load (row_at (key + j, p.v_stride, p.head_v), columns, p.head_v, a, b);
    for (uint r = 0; r < ROWS; r++) {
      acc[r][0] += score[r][j] * a;
      acc[r][1] += score[r][j] * b;
    }
  }
}

void finish (uint n_queries, uint columns, uint part, uint n_parts, uint n_columns)
{
  for (uint r = 0; r < ROWS; r++) {
    uint query = first_query + r, row = query / group, head = kv_head * group + query % group;
    uint at = (row * p.n_head + head) * p.head_v;
    float factor = 1.0;

    barrier ();
    gathered[thread][0] = acc[r][0];
    gathered[thread][1] = acc[r][1];
    barrier ();
    if (query >= n_queries || part != 0)
      continue;
    for (uint i = 1; i < n_parts; i++) {
      acc[r][0] += gathered[thread + i * n_columns][0];
      acc[r][1] += gathered[thread + i * n_columns][1];
    }
    if (gl_NumWorkGroups.z == 1)
      factor = 1.0 / sum[r];
    else
      at = ((gl_WorkGroupID.z * rows_of (p.rows) + row) * p.n_head + head) * (p.head_v + 2);
    for (uint i = 0; i < min (8, p.head_v - columns); i++) {
      float v = (i < 4 ? acc[r][0][i] : acc[r][1][i - 4]) * factor;

      if (gl_NumWorkGroups.z == 1)
        y[at + columns + i] = v;
      else
        parts[at + 2 + columns + i] = v;
    }
    if (gl_NumWorkGroups.z > 1 && columns == 0) {
      parts[at] = most[r];
      parts[at + 1] = sum[r];
    }
  }
}

void main ()
{
  uint n_queries = rows_of (p.rows) * group;
  uint n_columns = (p.head_v + 7) / 8, n_parts = KEYS / n_columns;
  uint columns = thread % n_columns * 8, part = thread / n_columns;
  int from = 0x7fffffff, to = 0;

  if (first_query >= n_queries)
    return;
  load_queries (n_queries);
  barrier ();
  for (uint r = 0; r < ROWS; r++) {
    most[r] = LOWEST;
    sum[r] = 0;
    acc[r][0] = acc[r][1] = vec4 (0);
    if (hi[r] > lo[r])
      from = min (from, lo[r]);
    to = max (to, hi[r]);
  }
  if (p.split > 0) {
    int split = first_split () + int (gl_WorkGroupID.z);

    from = max (from, split * int (p.split));
    to = min (to, (split + 1) * int (p.split));
  }
  for (int key = from; key < to; key += KEYS) {
    score_tile (key, to);
    soften ();
    add_values (key, to, columns, part, n_parts);
  }
  finish (n_queries, columns, part, n_parts, n_columns);
}
