#include "levels.h"
#include "npz.h"

#include <string.h>

static const struct {
  FacetDtype  dtype;
  const char *name;
} types[] = {
  { FACET_F16, "F16" }, { FACET_BF16, "BF16" }, { FACET_Q4_0, "Q4_0" }, { FACET_Q4_1, "Q4_1" },
  { FACET_Q5_0, "Q5_0" }, { FACET_Q5_1, "Q5_1" }, { FACET_Q8_0, "Q8_0" }, { FACET_Q2_K, "Q2_K" },
  { FACET_Q3_K, "Q3_K" }, { FACET_Q4_K, "Q4_K" }, { FACET_Q5_K, "Q5_K" }, { FACET_Q6_K, "Q6_K" },
  { FACET_IQ4_NL, "IQ4_NL" }, { FACET_IQ4_XS, "IQ4_XS" },
};

static const void *
array_bytes (Npz *npz, const char *type, const char *suffix, gsize *size)
{
  g_autofree char *name = g_strconcat (type, suffix, NULL);

  return g_bytes_get_data (npz_get (npz, name)->bytes, size);
}

/* Each type means what the numpy implementation of GGUF says, bit by bit. */
static void
test_type (gconstpointer data)
{
  guint t = GPOINTER_TO_UINT (data);
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kernels", "dequantize.npz", NULL);
  g_autoptr (Npz) npz = npz_open (path);
  Level levels[MAX_LEVELS];
  int n_levels = levels_get (levels);
  gsize raw_size, size;
  const void *raw = array_bytes (npz, types[t].name, ".raw", &raw_size);
  const float *expected = array_bytes (npz, types[t].name, ".f32", &size);

  for (int l = 0; l < n_levels; l++) {
    g_autofree float *found = g_malloc (size);

    levels[l].table.dequantize[types[t].dtype] (raw, found, size / sizeof (float));
    for (gsize i = 0; i < size / sizeof (float); i++)
      if (memcmp (&found[i], &expected[i], sizeof (float)) != 0)
        g_error ("%s %s: element %" G_GSIZE_FORMAT " is %.9g instead of %.9g", levels[l].name,
                 types[t].name, i, (double) found[i], (double) expected[i]);
  }
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  for (guint t = 0; t < G_N_ELEMENTS (types); t++) {
    g_autofree char *path = g_strconcat ("/dequantize/", types[t].name, NULL);

    g_test_add_data_func (path, GUINT_TO_POINTER (t), test_type);
  }
  return g_test_run ();
}
