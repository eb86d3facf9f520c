/* Row-wise kernels and attention tiles of every instruction set against the
 * reference. Sums are taken in another order there, hence the tolerances. */
#include "levels.h"
#include "random.h"

#include <math.h>
#include <string.h>

static const int sizes[] = { 1, 7, 16, 31, 64, 100, 256, 640, 1153 };

static void
assert_close (const char *level, const char *what, int n, const float *found, const float *expected, int count,
              float tolerance)
{
  float scale = 0;

  for (int i = 0; i < count; i++)
    scale = fmaxf (scale, fabsf (expected[i]));
  for (int i = 0; i < count; i++)
    if (!(fabsf (found[i] - expected[i]) <= tolerance * scale + 1e-30f))
      g_error ("%s %s n=%d: element %d is %.9g instead of %.9g", level, what, n, i, (double) found[i],
               (double) expected[i]);
}

typedef void (*RowOp) (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n);

static void op_rms_norm (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->rms_norm (a, b, 1e-6f, y, n); }
static void op_rms_plain (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->rms_norm (a, NULL, 1e-6f, y, n); }
static void op_layer_norm (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->layer_norm (a, b, c, 1e-6f, y, n); }
static void op_add (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->add (a, b, y, n); }
static void op_mul (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->mul (a, b, y, n); }
static void op_mul_add (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ memcpy (y, c, sizeof (float) * n); k->mul_add (a, b, y, n); }
static void op_scale (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->scale (a, 0.37f, y, n); }
static void op_gelu (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->gelu (a, y, n); }
static void op_geglu (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->geglu (a, b, y, n); }
static void op_softcap (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->softcap (a, 30, y, n); }
static void op_silu (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->silu (a, y, n); }
static void op_glu (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->glu (b, a, y, n); }
static void op_clamp (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->clamp (a, -0.4f, 0.7f, y, n); }
static void op_relu (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ k->clamp (a, 0, INFINITY, y, n); }
static void op_rope (const FacetKernels *k, const float *a, const float *b, const float *c, float *y, int n)
{ memcpy (y, a, sizeof (float) * n); k->rope (a, b, c, y, n / 2 * 2); }

static const struct {
  const char *name;
  RowOp       op;
} ops[] = {
  { "rms_norm", op_rms_norm }, { "rms_norm without gain", op_rms_plain }, { "layer_norm", op_layer_norm },
  { "add", op_add }, { "mul", op_mul }, { "mul_add", op_mul_add }, { "scale", op_scale }, { "gelu", op_gelu }, { "geglu", op_geglu },
  { "softcap", op_softcap }, { "silu", op_silu }, { "glu", op_glu }, { "clamp", op_clamp }, { "relu", op_relu }, { "rope", op_rope },
};

static void
test_row_ops (void)
{
  Level levels[MAX_LEVELS];
  int n_levels = levels_get (levels);
  g_autoptr (GRand) rand = g_rand_new_with_seed (20261125);

  for (gsize s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (Fill fill = 0; fill < N_FILLS; fill++) {
      int n = sizes[s];
      gsize bytes = sizeof (float) * n;
      float *in[3];
      g_autofree float *expected = g_malloc (bytes);

      for (int i = 0; i < 3; i++)
        fill_floats (rand, i == 0 ? fill : FILL_NORMAL, in[i] = guarded_new (bytes), n);
      for (gsize o = 0; o < G_N_ELEMENTS (ops); o++) {
        ops[o].op (facet_kernels_c (), in[0], in[1], in[2], expected, n);
        for (int l = 0; l < n_levels; l++) {
          float *found = guarded_new (bytes);

          ops[o].op (&levels[l].table, in[0], in[1], in[2], found, n);
          assert_close (levels[l].name, ops[o].name, n, found, expected, n, 4e-6f);
          g_assert_true (guarded_intact (found));
          guarded_free (found);
        }
      }
      for (int i = 0; i < 3; i++)
        guarded_free (in[i]);
    }
}

/* 8-bit activations are the same integers on every instruction set. */
static void
test_quantize (void)
{
  Level levels[MAX_LEVELS];
  int n_levels = levels_get (levels), k = 640;
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  gsize bytes = facet_q8_bytes (1, k);

  for (Fill fill = 0; fill < N_FILLS; fill++) {
    float *x = guarded_new (sizeof (float) * k);
    gint8 *expected = guarded_new (bytes);
    FacetQ8 e = facet_q8_at (expected, 1, k);

    fill_floats (rand, fill, x, k);
    facet_kernels_c ()->quantize_q8 (x, &e, 0, k);
    for (int l = 0; l < n_levels; l++) {
      gint8 *found = guarded_new (bytes);
      FacetQ8 f = facet_q8_at (found, 1, k);

      levels[l].table.quantize_q8 (x, &f, 0, k);
      g_assert_cmpmem (f.q, k, e.q, k);
      g_assert_cmpmem (f.d, sizeof (float) * k / 32, e.d, sizeof (float) * k / 32);
      g_assert_cmpmem (f.off, 4 * k / 32, e.off, 4 * k / 32);
      g_assert_cmpmem (f.off16, 4 * k / 16, e.off16, 4 * k / 16);
      g_assert_true (guarded_intact (found));
      guarded_free (found);
    }
    guarded_free (x);
    guarded_free (expected);
  }
}

typedef struct {
  float *q, *k, *v, *acc;
  guint16 *k16, *v16;
  float max[FACET_ATTEND_ROWS], sum[FACET_ATTEND_ROWS];
} Tile;

/* Two tiles one after the other, so that the running sums matter. */
static void
attend_twice (void (*attend) (const FacetAttend *), Tile *t, FacetAttend *a, gboolean half)
{
  void *scratch = g_aligned_alloc0 (1, FACET_ATTEND_SCRATCH (a->head_k, a->head_v), 64);

  a->scratch = scratch;
  a->max = t->max;
  a->sum = t->sum;
  a->acc = t->acc;
  a->kv_type = half ? FACET_F16 : FACET_F32;
  a->k = half ? (void *) t->k16 : (void *) t->k;
  a->v = half ? (void *) t->v16 : (void *) t->v;
  a->k_stride = (half ? 2 : 4) * a->head_k;
  a->v_stride = (half ? 2 : 4) * a->head_v;
  for (int r = 0; r < FACET_ATTEND_ROWS; r++) {
    t->max[r] = -INFINITY;
    t->sum[r] = 0;
  }
  attend (a);
  a->k = (const guint8 *) a->k + a->k_stride * 5;
  a->v = (const guint8 *) a->v + a->v_stride * 5;
  attend (a);
  g_aligned_free (scratch);
}

typedef struct {
  int      rows, keys, head_k, head_v;
  gboolean half, many, all;  /* many: attend_many(); all: every row sees every key */
  float    softcap;
} Shape;

/* What rows see, and their queries as @many wants them. */
static void
fill_tile (GRand *rand, const Shape *s, Tile *t, int *lo, int *hi)
{
  gsize stride = (gsize) (s->rows + FACET_ATTEND_ALIGN - 1) / FACET_ATTEND_ALIGN * FACET_ATTEND_ALIGN, keys = (gsize) s->keys + 5;
  g_autofree float *rows = g_new (float, (gsize) s->rows * s->head_k);

  fill_floats (rand, FILL_NORMAL, rows, (gsize) s->rows * s->head_k);
  if (s->many)
    facet_kernels_c ()->transpose (rows, s->head_k, s->rows, s->head_k, t->q, stride);
  else
    memcpy (t->q, rows, sizeof (float) * s->rows * s->head_k);
  fill_floats (rand, FILL_NORMAL, t->k, keys * s->head_k);
  fill_floats (rand, FILL_NORMAL, t->v, keys * s->head_v);
  facet_kernels_c ()->f32_to_f16 (t->k, t->k16, keys * s->head_k);
  facet_kernels_c ()->f32_to_f16 (t->v, t->v16, keys * s->head_v);
  for (int r = 0; r < s->rows; r++) {
    lo[r] = r % 3 == 0 || s->all ? 0 : g_rand_int_range (rand, 0, s->keys);
    hi[r] = s->all ? s->keys : g_rand_int_range (rand, lo[r] + (r % 5 > 0), s->keys + 1);
  }
}

static void
check_tile (const Level *level, GRand *rand, const Shape *s)
{
  gsize keys = (gsize) s->keys + 5, stride = (gsize) (s->rows + FACET_ATTEND_ALIGN - 1) / FACET_ATTEND_ALIGN * FACET_ATTEND_ALIGN;
  gsize q_bytes = 4 * (s->many ? stride : (gsize) s->rows) * s->head_k, acc_bytes = 4 * (s->many ? stride : (gsize) s->rows) * s->head_v;
  Tile t = { .q = guarded_new (q_bytes), .k = guarded_new (4 * keys * s->head_k), .v = guarded_new (4 * keys * s->head_v),
             .acc = guarded_new (acc_bytes), .k16 = guarded_new (2 * keys * s->head_k), .v16 = guarded_new (2 * keys * s->head_v) };
  int lo[FACET_ATTEND_ROWS], hi[FACET_ATTEND_ROWS], n = s->rows * s->head_v;
  float *out[2] = { g_new0 (float, n), g_new0 (float, n) };

  fill_tile (rand, s, &t, lo, hi);
  for (int side = 0; side < 2; side++) {
    const FacetKernels *kernels = side == 0 ? facet_kernels_c () : &level->table;
    FacetAttend a = { .q = t.q, .q_stride = s->many ? stride : (gsize) s->head_k, .rows = s->rows, .keys = s->keys, .head_k = s->head_k,
                      .head_v = s->head_v, .lo = lo, .hi = hi, .softcap = s->softcap, .acc_stride = s->many ? stride : (gsize) s->head_v };

    memset (t.acc, 0, acc_bytes);
    attend_twice (s->many ? kernels->attend_many : kernels->attend, &t, &a, s->half);
    for (int r = 0; r < s->rows; r++)
      for (int c = 0; c < s->head_v && t.sum[r] > 0; c++)
        out[side][r * s->head_v + c] = t.acc[s->many ? c * (int) stride + r : r * s->head_v + c] / t.sum[r];
  }
  assert_close (level->name, s->many ? "attend_many" : "attend", s->rows * 1000 + s->keys, out[1], out[0], n, 2e-5f);
  g_assert_true (guarded_intact (t.acc));
  g_free (out[0]);
  g_free (out[1]);
  guarded_free (t.q);
  guarded_free (t.k);
  guarded_free (t.v);
  guarded_free (t.acc);
  guarded_free (t.k16);
  guarded_free (t.v16);
}

static void
test_attend (void)
{
  static const int rows[] = { 1, 3, 4, 8, 9, 32, 50, FACET_ATTEND_ROWS }, keys[] = { 1, 5, 16, 33, FACET_ATTEND_KEYS };
  static const int heads[][2] = { { 16, 16 }, { 32, 32 }, { 72, 72 }, { 256, 256 }, { 40, 24 } };
  Level levels[MAX_LEVELS];
  int n_levels = levels_get (levels);
  g_autoptr (GRand) rand = g_rand_new_with_seed (42);

  for (int l = 0; l < n_levels; l++)
    for (gsize r = 0; r < G_N_ELEMENTS (rows); r++)
      for (gsize k = 0; k < G_N_ELEMENTS (keys); k++)
        for (gsize h = 0; h < G_N_ELEMENTS (heads); h++)
          for (int kind = 0; kind < 4; kind++) {
            Shape s = { .rows = rows[r], .keys = keys[k], .head_k = heads[h][0], .head_v = heads[h][1], .half = kind % 2, .many = kind / 2,
                        .all = (k + h) % 3 == 0, .softcap = k % 2 == 0 ? 0 : 50 };

            if (s.many || s.rows <= FACET_ATTEND_FEW)
              check_tile (&levels[l], rand, &s);
          }
}

static void
test_transpose (void)
{
  static const int sides[] = { 1, 7, 16, 23, 64, 72 };
  Level levels[MAX_LEVELS];
  int n_levels = levels_get (levels);
  g_autoptr (GRand) rand = g_rand_new_with_seed (9);

  for (int l = 0; l < n_levels; l++)
    for (gsize i = 0; i < G_N_ELEMENTS (sides) * G_N_ELEMENTS (sides); i++) {
      int rows = sides[i % G_N_ELEMENTS (sides)], cols = sides[i / G_N_ELEMENTS (sides)];
      gsize stride = (gsize) (rows + FACET_ATTEND_ALIGN - 1) / FACET_ATTEND_ALIGN * FACET_ATTEND_ALIGN;
      gsize bytes = sizeof (float) * stride * cols;
      float *x = guarded_new (sizeof (float) * rows * (cols + 3)), *found = guarded_new (bytes);
      g_autofree float *expected = g_malloc (bytes);

      fill_floats (rand, FILL_NORMAL, x, (gsize) rows * (cols + 3));
      for (int c = 0; c < cols; c++)
        for (gsize r = 0; r < stride; r++)
          expected[c * stride + r] = r < (gsize) rows ? x[r * (cols + 3) + c] : 0;
      levels[l].table.transpose (x, (gsize) cols + 3, rows, cols, found, stride);
      g_assert_cmpmem (found, bytes, expected, bytes);
      g_assert_true (guarded_intact (found));
      guarded_free (x);
      guarded_free (found);
    }
}

/* Values that are no numbers must not be hidden by the limits. */
static void
test_clamp_nan (void)
{
  Level levels[MAX_LEVELS];
  int n_levels = levels_get (levels);

  for (int l = 0; l < n_levels; l++) {
    float x[19] = { [3] = NAN, [18] = NAN }, y[19];

    levels[l].table.clamp (x, -1, 1, y, 19);
    for (int i = 0; i < 19; i++)
      g_assert_cmpint (isnan (y[i]) != 0, ==, i == 3 || i == 18);
  }
}

static void
check_local (const Level *level, GRand *rand, int keys, int head, float spread)
{
  gsize stride = (gsize) head + 3, n = (gsize) keys * stride;
  float *in[4], *found = guarded_new (sizeof (float) * head);
  g_autofree float *expected = g_new (float, head);
  FacetLocalAttend a = { .stride = stride, .keys = keys, .head = (gsize) head, .cap = 50 };

  for (int i = 0; i < 4; i++)
    fill_floats (rand, FILL_NORMAL, in[i] = guarded_new (sizeof (float) * n), n);
  for (int i = 0; i < head; i++)
    in[0][i] *= spread;
  a.q = in[0];
  a.k = in[1];
  a.v = in[2];
  a.pos = in[3];
  a.y = expected;
  facet_kernels_c ()->attend_local (&a);
  a.y = found;
  level->table.attend_local (&a);
  assert_close (level->name, "attend_local", keys * 1000 + head, found, expected, head, 2e-5f);
  g_assert_true (guarded_intact (found));
  guarded_free (found);
  for (int i = 0; i < 4; i++)
    guarded_free (in[i]);
}

static void
test_attend_local (void)
{
  static const int keys[] = { 1, 2, 12, 13, 16, 33, FACET_LOCAL_KEYS }, heads[] = { 3, 8, 16, 24, 128, 192 };
  Level levels[MAX_LEVELS];
  int n_levels = levels_get (levels);
  g_autoptr (GRand) rand = g_rand_new_with_seed (77);

  for (int l = 0; l < n_levels; l++)
    for (gsize k = 0; k < G_N_ELEMENTS (keys); k++)
      for (gsize h = 0; h < G_N_ELEMENTS (heads); h++) {
        check_local (&levels[l], rand, keys[k], heads[h], 0.2f);
        check_local (&levels[l], rand, keys[k], heads[h], 4); /* beyond the cap */
      }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rows/ops", test_row_ops);
  g_test_add_func ("/rows/quantize", test_quantize);
  g_test_add_func ("/rows/attend", test_attend);
  g_test_add_func ("/rows/clamp-nan", test_clamp_nan);
  g_test_add_func ("/rows/attend-local", test_attend_local);
  g_test_add_func ("/rows/transpose", test_transpose);
  return g_test_run ();
}
