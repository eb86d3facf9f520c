/* How much an encoder of real size still computes once it is told to stop.
 *
 * The kernels count their multiplications instead of doing them, so that the
 * result depends on no clock. With "-m perf" they do both, and what passes
 * from the flag to the return is told in milliseconds. */
#include "backend/cpu/plan.h"
#include "kit-pictures.h"
#include "models/encoder.h"
#include "siglip-file.h"

#define MEMBERS 2
/* Most multiplications of a piece of work: what each member may have begun. */
#define PIECE (1 << 29)

static const SiglipShape shape = { .side = 896, .patch = 14, .inner = 1152, .ffn = 4304, .width = 640, .blocks = 1, .heads = 16 };

/* In the @nth product of k x m matrices or, with zeros, tile of attention. */
typedef struct {
  const char *name;
  int k, m, nth;
} Moment;

static const Moment moments[] = {
  { "patch-embedding", 588, 1152, 0 }, { "later-patches", 588, 1152, 20 },
  { "queries", 1152, 1152, 0 }, { "values", 1152, 1152, 35 },
  { "attention", 0, 0, 0 }, { "half-of-attention", 0, 0, 32768 }, { "after-attention", 1152, 1152, 60 },
  { "up", 1152, 4304, 3 }, { "down", 4304, 1152, 0 }, { "half-of-down", 4304, 1152, 22 },
};

static struct {
  FacetKernels        kernels;
  const FacetKernels *real;
  const Moment       *moment;
  FacetCancel         cancel;
  gint                seen;   /* of the moment's kind */
  gint                after;  /* 1024 multiplications, in calls since the flag is up */
  gint64              raised; /* microseconds */
} watch;

static void
count (int k, int m, guint64 multiplications)
{
  if (k == watch.moment->k && m == watch.moment->m && g_atomic_int_add (&watch.seen, 1) == watch.moment->nth) {
    watch.raised = g_get_monotonic_time ();
    facet_cancel (&watch.cancel);
  }
  if (facet_is_cancelled (&watch.cancel))
    g_atomic_int_add (&watch.after, (gint) (multiplications / 1024));
}

static void
count_product (const FacetMatmul *a, int m0, int m1, void *scratch)
{
  count (a->k, (int) a->y_stride, (guint64) a->rows * (guint64) a->k * (guint64) (m1 - m0));
  if (g_test_perf ())
    watch.real->matmul_f32[FACET_F32] (a, m0, m1, scratch);
}

static void
count_attention (const FacetAttend *a)
{
  count (0, 0, (guint64) a->rows * (guint64) a->keys * (guint64) (a->head_k + a->head_v));
  if (g_test_perf ())
    watch.real->attend_many (a);
}

static FacetBackend *
counting_backend (void)
{
  FacetBackend *backend = facet_cpu_backend_new (MEMBERS, FALSE);
  FacetCpu *cpu = (FacetCpu *) backend;

  watch.real = cpu->kernels;
  watch.kernels = *cpu->kernels;
  watch.kernels.matmul_f32[FACET_F32] = count_product;
  watch.kernels.attend_many = count_attention;
  cpu->kernels = &watch.kernels;
  return backend;
}

static GByteArray *file;

static void
test_moment (gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) gguf = facet_gguf_open_bytes (file->data, file->len, "projector", &error);
  g_autoptr (FacetEncoder) encoder = facet_encoder_load (gguf, FALSE, &error);
  g_autoptr (FacetImage) image = kit_picture ("photo.png");
  g_auto (FacetEncoderInput) input = { 0 };
  FacetBackend *backend = counting_backend ();
  float *soft;
  double ms;

  g_assert_no_error (error);
  g_assert_true (encoder->prepare_image (encoder, image, NULL, &input, &error));
  watch.moment = data;
  watch.seen = watch.after = 0;
  facet_cancel_reset (&watch.cancel);
  soft = facet_encoder_run (encoder, backend, &input, NULL, NULL, &watch.cancel, &error);
  ms = (g_get_monotonic_time () - watch.raised) / 1000.0;
  g_assert_null (soft);
  g_assert_error (error, FACET_ERROR, FACET_ERROR_CANCELLED);
  g_test_message ("%.0f million multiplications begun", watch.after * 1024.0 / 1e6);
  if (g_test_perf ())
    g_test_minimized_result (ms, "%s: %.1f ms", watch.moment->name, ms);
  g_assert_cmpint (watch.after, >, 0);
  g_assert_cmpint (watch.after, <=, MEMBERS * (PIECE / 1024));
  backend->klass->free (backend);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  file = siglip_file (&shape);
  for (gsize i = 0; i < G_N_ELEMENTS (moments); i++) {
    g_autofree char *path = g_strconcat ("/stop/", moments[i].name, NULL);

    g_test_add_data_func (path, &moments[i], test_moment);
  }
  status = g_test_run ();
  g_byte_array_unref (file);
  return status;
}
