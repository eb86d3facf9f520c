#include "random.h"

#include <math.h>
#include <string.h>
#include "backend/cpu/quant-blocks.h"

#define GUARD 256
#define GUARD_BYTE 0xa5

const TestType test_types[N_TEST_TYPES] = {
  { FACET_F32, "F32", 1, 4 },       { FACET_F16, "F16", 1, 2 },       { FACET_BF16, "BF16", 1, 2 },
  { FACET_Q4_0, "Q4_0", 32, 18 },   { FACET_Q4_1, "Q4_1", 32, 20 },   { FACET_Q5_0, "Q5_0", 32, 22 },
  { FACET_Q5_1, "Q5_1", 32, 24 },   { FACET_Q8_0, "Q8_0", 32, 34 },   { FACET_Q2_K, "Q2_K", 256, 84 },
  { FACET_Q3_K, "Q3_K", 256, 110 }, { FACET_Q4_K, "Q4_K", 256, 144 }, { FACET_Q5_K, "Q5_K", 256, 176 },
  { FACET_Q6_K, "Q6_K", 256, 210 }, { FACET_IQ4_NL, "IQ4_NL", 32, 18 }, { FACET_IQ4_XS, "IQ4_XS", 256, 136 },
};

static double
normal (GRand *rand)
{
  return sqrt (-2 * log (1 - g_rand_double (rand))) * cos (2 * G_PI * g_rand_double (rand));
}

void
fill_floats (GRand *rand, Fill fill, float *x, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    double v = fill == FILL_ZERO ? 0 : normal (rand);

    if (fill == FILL_LARGE && g_rand_int_range (rand, 0, 50) == 0)
      v *= 1000;
    if (fill == FILL_TINY)
      v *= i / 32 % 2 ? 1e-41 : 1e-20;
    x[i] = (float) v;
  }
}

/* Places of the halves within a block. */
static int
half_places (const TestType *type, int places[2])
{
  switch (type->dtype) {
  case FACET_Q4_1: case FACET_Q5_1: case FACET_Q4_K: case FACET_Q5_K:
    places[0] = 0;
    places[1] = 2;
    return 2;
  case FACET_Q2_K:
    places[0] = 80;
    places[1] = 82;
    return 2;
  case FACET_Q3_K: case FACET_Q6_K:
    places[0] = type->bytes - 2;
    return 1;
  default:
    places[0] = 0;
    return 1;
  }
}

static void
fill_blocks (GRand *rand, Fill fill, const TestType *type, guint8 *w, gsize blocks)
{
  int places[2];
  int n = half_places (type, places);

  for (gsize i = 0; i < blocks * (gsize) type->bytes; i++)
    w[i] = (guint8) g_rand_int (rand);
  for (gsize b = 0; b < blocks; b++)
    for (int i = 0; i < n; i++) {
      double d = fill == FILL_ZERO ? 0 : fill == FILL_TINY ? 1e-7 * normal (rand) : 0.01 * normal (rand);
      guint16 h = facet_f32_to_f16 ((float) (fill == FILL_LARGE ? 1000 * d : d));

      memcpy (w + b * (gsize) type->bytes + places[i], &h, 2);
    }
}

void
fill_weights (GRand *rand, Fill fill, const TestType *type, guint8 *w, gsize elements)
{
  if (type->block > 1) {
    fill_blocks (rand, fill, type, w, elements / (gsize) type->block);
    return;
  }
  for (gsize i = 0; i < elements; i++) {
    float v;
    guint32 bits;
    guint16 h;

    fill_floats (rand, fill == FILL_TINY ? FILL_NORMAL : fill, &v, 1);
    v *= fill == FILL_TINY ? 1e-6f : 0.05f;
    bits = facet_float_bits (v);
    h = type->dtype == FACET_F16 ? facet_f32_to_f16 (v) : (guint16) (bits >> 16);
    if (type->dtype == FACET_F32)
      memcpy (w + 4 * i, &v, 4);
    else
      memcpy (w + 2 * i, &h, 2);
  }
}

void *
guarded_new (gsize size)
{
  guint8 *base = g_aligned_alloc (1, size + 2 * GUARD, 64);

  memcpy (base, &size, sizeof size);
  memset (base + sizeof size, GUARD_BYTE, GUARD - sizeof size);
  /* A kernel that reads what it should have written finds NaNs. */
  memset (base + GUARD, 0xff, size);
  memset (base + GUARD + size, GUARD_BYTE, GUARD);
  return base + GUARD;
}

gboolean
guarded_intact (void *memory)
{
  const guint8 *base = (guint8 *) memory - GUARD;
  gsize size;

  memcpy (&size, base, sizeof size);
  for (gsize i = sizeof size; i < GUARD; i++)
    if (base[i] != GUARD_BYTE)
      return FALSE;
  for (gsize i = 0; i < GUARD; i++)
    if (base[GUARD + size + i] != GUARD_BYTE)
      return FALSE;
  return TRUE;
}

void
guarded_free (void *memory)
{
  g_aligned_free ((guint8 *) memory - GUARD);
}
