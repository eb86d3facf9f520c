/* Device against processor where both compute in the same memory: run once,
 * remembered, and with every outcome the answer of either of them alone. */
#include "backend/pair.h"
#include "backend/race.h"
#include "backend/vulkan/fault.h"
#include "backend/vulkan/vk.h"
#include "device.h"
#include "session/model.h"
#include "tree.h"

#include <math.h>
#include <string.h>

#define PROMPT 37
#define ANSWER 8

static char *
races_path (void)
{
  return g_build_filename (g_get_user_cache_dir (), "facet", "races", NULL);
}

static FacetModel *
load (gboolean on_device, gboolean with_eyes)
{
  g_autofree char *folder = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "models", "gemma3-tiny", NULL);
  g_autofree char *path = g_build_filename (folder, "text-q4_0.gguf", NULL), *eyes = g_build_filename (folder, "mmproj.gguf", NULL);
  FacetModelParams params = { .backend = FACET_BACKEND_CPU, .threads = 1, .exact = TRUE, .projector = with_eyes ? eyes : NULL };
  g_autoptr (GError) error = NULL;
  FacetModel *model;

  if (on_device)
    device_params (&params);
  model = facet_model_load (path, &params, &error);
  g_assert_no_error (error);
  return model;
}

/* An answer, then another that shares a beginning with it: the cache goes
 * back, the rows that differ are read by one side and continued by the other.
 * With rings of steps of 4 rows it wraps. */
static GArray *
compute (FacetModel *model)
{
  FacetSessionParams shape = { .context = 96, .chunk = 4 };
  FacetReplyParams how = { .max_tokens = ANSWER, .endless = TRUE };
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetSession) session = facet_session_new (model, &shape, &error);
  GArray *all = g_array_new (FALSE, FALSE, sizeof (float));

  g_assert_no_error (error);
  for (int round = 0; round < 3; round++) {
    g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
    g_auto (FacetReply) reply = { NULL };
    g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float));
    int n = PROMPT - 5 * round;
    gint32 ids[PROMPT];

    for (int i = 0; i < n; i++)
      ids[i] = i == 0 ? 2 : (7 + 31 * i + (i > n - 8 ? 40 * round : 0)) % 300;
    facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
    facet_prompt_add_tokens (prompt, ids, (gsize) n);
    facet_session_reply (session, prompt, &how, &reply, &error);
    g_assert_no_error (error);
    facet_prompt_add_tokens (prompt, (const gint32 *) (gpointer) reply.ids->data, reply.ids->len);
    facet_session_logits (session, prompt, FALSE, logits, NULL, &error);
    g_assert_no_error (error);
    g_array_append_vals (all, logits->data, logits->len);
  }
  return all;
}

static void
check_same (const GArray *found, const GArray *expected, const char *what)
{
  const float *x = (const float *) (gpointer) found->data, *y = (const float *) (gpointer) expected->data;
  double worst = 0, square = 0;

  g_assert_cmpuint (found->len, ==, expected->len);
  for (guint i = 0; i < found->len; i++) {
    worst = fmax (worst, fabs ((double) x[i] - (double) y[i]));
    square += (double) y[i] * (double) y[i];
  }
  g_test_message ("%s: rel %.1e", what, worst / sqrt (square / found->len));
  g_assert_cmpfloat (worst / sqrt (square / found->len), <=, 1e-4);
}

static void
set_winner (const char *phase, gboolean cpu)
{
  g_autofree char *path = races_path ();
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_auto (GStrv) groups = NULL;
  g_autoptr (GError) error = NULL;

  g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  groups = g_key_file_get_groups (file, NULL);
  for (int i = 0; groups[i] != NULL; i++)
    if (g_key_file_has_key (file, groups[i], phase, NULL))
      g_key_file_set_string (file, groups[i], phase, cpu ? "cpu" : "device");
  g_key_file_save_to_file (file, path, &error);
  g_assert_no_error (error);
}

static char *
read_races (void)
{
  g_autofree char *path = races_path ();
  char *text = NULL;

  g_file_get_contents (path, &text, NULL, NULL);
  return text;
}

static void
test_text (void)
{
  g_autoptr (FacetModel) alone = load (FALSE, FALSE);
  g_autoptr (GArray) expected = compute (alone), raced = NULL;
  g_autoptr (FacetModel) model = load (TRUE, FALSE);
  g_autofree char *first = NULL;

  raced = compute (model);
  first = read_races ();
  g_test_message ("%s: %s", facet_model_backend_name (model), first);
  g_assert_nonnull (strstr (first, "\ndecode="));
  g_assert_nonnull (strstr (first, "\nprefill="));
  check_same (raced, expected, "the race's own outcome");
  /* The last two: rows of a cache that the host does not see. */
  for (int round = 0; round < 6; round++) {
    int outcome = round < 4 ? round : round - 3;
    g_autofree char *wanted = NULL, *kept = NULL;
    g_autoptr (FacetModel) again = load (TRUE, FALSE);
    g_autoptr (GArray) found = NULL;
    const char *name;

    ((FacetVk *) facet_pair_device (again->backend))->hides_memory = round >= 4;
    set_winner ("decode", outcome & 1);
    set_winner ("prefill", outcome & 2);
    wanted = read_races ();
    found = compute (again);
    kept = read_races ();
    name = facet_model_backend_name (again);
    /* Nothing is measured twice. */
    g_assert_cmpstr (kept, ==, wanted);
    g_assert_true (g_str_has_prefix (name, outcome == 3 ? "cpu" : "vulkan"));
    g_assert_cmpint (strstr (name, "writing on cpu") != NULL, ==, outcome == 1);
    g_assert_cmpint (strstr (name, "reading on cpu") != NULL, ==, outcome == 2);
    g_assert_cmpint (facet_model_take_notice (again), ==, FACET_NOTICE_NONE);
    check_same (found, expected, name);
  }
}

static void
test_pictures (void)
{
  g_autofree char *path = g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "inputs", "photo.png", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetImage) image = facet_image_load (path, &error);
  g_autoptr (FacetModel) alone = load (FALSE, TRUE);
  g_autoptr (GBytes) expected = facet_projector_encode (facet_model_get_projector (alone), image, 0, NULL, &error);
  g_autofree char *races = NULL;

  g_assert_no_error (error);
  for (int round = 0; round < 3; round++) {
    g_autoptr (FacetModel) model = load (TRUE, TRUE);
    g_autoptr (GBytes) soft = NULL;
    const float *x, *y;
    gsize size;

    if (round > 0)
      set_winner ("encode", round == 2);
    soft = facet_projector_encode (facet_model_get_projector (model), image, 0, NULL, &error);
    g_assert_no_error (error);
    x = g_bytes_get_data (soft, &size);
    y = g_bytes_get_data (expected, NULL);
    g_assert_cmpuint (size, ==, g_bytes_get_size (expected));
    for (gsize i = 0; i < size / sizeof (float); i++)
      g_assert_cmpfloat (fabsf (x[i] - y[i]), <=, 2e-2f);
  }
  races = read_races ();
  g_assert_nonnull (strstr (races, "encode=cpu"));
}

/* Of a file that is damaged nothing is believed; one that grows is cut. */
static void
test_file (void)
{
  g_autofree char *path = races_path ();
  g_autoptr (GError) error = NULL;
  FacetBackend *device = device_backend (1, TRUE), *cpu = facet_cpu_backend_new (1, TRUE);
  gboolean cpu_wins;
  g_auto (GStrv) groups = NULL;
  g_autoptr (GKeyFile) file = g_key_file_new ();
  gsize n;

  g_file_set_contents (path, "[\xff" "decode", -1, &error);
  g_assert_no_error (error);
  g_assert_false (facet_race_recall (device, cpu, "0", FACET_RACE_DECODE, &cpu_wins));
  for (int i = 0; i < 80; i++) {
    g_autofree char *shape = g_strdup_printf ("%d", i);

    g_assert_cmpint (facet_race_remember (device, cpu, shape, FACET_RACE_DECODE, 1, i % 2 ? 0.5 : INFINITY), ==, i % 2);
  }
  g_assert_false (facet_race_recall (device, cpu, "0", FACET_RACE_DECODE, &cpu_wins));
  g_assert_false (facet_race_recall (device, cpu, "79", FACET_RACE_PREFILL, &cpu_wins));
  g_assert_true (facet_race_recall (device, cpu, "79", FACET_RACE_DECODE, &cpu_wins));
  g_assert_true (cpu_wins);
  g_assert_true (facet_race_recall (device, cpu, "78", FACET_RACE_DECODE, &cpu_wins));
  g_assert_false (cpu_wins);
  g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, &error);
  g_assert_no_error (error);
  groups = g_key_file_get_groups (file, &n);
  g_assert_cmpuint (n, <=, 64);
  device->klass->free (device);
  cpu->klass->free (cpu);
}

int
main (int argc, char **argv)
{
  g_autofree char *cache = g_dir_make_tmp ("facet-race-XXXXXX", NULL);
  int status;

  g_setenv ("XDG_CACHE_HOME", cache, TRUE);
  g_test_init (&argc, &argv, NULL);
  g_setenv ("FACET_TEST_BACKEND", "vulkan", TRUE);
  if (device_missing ())
    return TEST_SKIPPED;
  facet_vk_pretend_integrated (TRUE);
  g_test_add_func ("/race/text", test_text);
  g_test_add_func ("/race/pictures", test_pictures);
  g_test_add_func ("/race/file", test_file);
  status = g_test_run ();
  tree_remove (cache);
  return status;
}
