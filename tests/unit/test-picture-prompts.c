/* Pictures in prompts: which are shown in parts, too, how both are framed, what
 * they cost, and that talks about several pictures encode each one once. */
#include "chat/prompt.h"
#include "kit-pictures.h"
#include "media/small-print.h"

#include <math.h>
#include <string.h>

/* ---- fixtures ---- */

static FacetModel *
load_model (void)
{
  g_autofree char *path = kit_path ("models/gemma3-tiny/text-f32.gguf"), *projector = kit_path ("models/gemma3-tiny/mmproj.gguf");
  g_autoptr (GError) error = NULL;
  FacetModel *model = facet_model_load (path, &(FacetModelParams) { .projector = projector, .threads = 1, .exact = TRUE }, &error);

  g_assert_no_error (error);
  return model;
}

static FacetSession *
new_session (FacetModel *model)
{
  g_autoptr (GError) error = NULL;
  FacetSession *session = facet_session_new (model, &(FacetSessionParams) { .context = 512 }, &error);

  g_assert_no_error (error);
  return session;
}

/* Slowly changing colours. */
static FacetImage *
smooth_picture (int width, int height)
{
  g_autofree guint8 *rgb = g_malloc ((gsize) width * height * 3);

  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++) {
      guint8 *p = rgb + ((gsize) y * width + x) * 3;

      p[0] = (guint8) (255 * x / width);
      p[1] = (guint8) (255 * y / height);
      p[2] = (guint8) (127 + 127 * sin (x / 40.0) * cos (y / 50.0));
    }
  return facet_image_new_from_rgb (rgb, width, height, (gsize) width * 3, NULL);
}

/* Black strokes of two pixels, as letters have them, in the upper third of a
 * white page. */
static FacetImage *
printed_picture (int width, int height)
{
  g_autofree guint8 *rgb = g_malloc ((gsize) width * height * 3);
  guint32 state = 1;

  memset (rgb, 255, (gsize) width * height * 3);
  for (int y = 0; y + 16 <= height / 3; y += 24)
    for (int x = 0; x + 8 <= width; x += 4) {
      state = state * 1664525 + 1013904223;
      for (int i = 0; i < 12 && state >> 30; i++)
        memset (rgb + ((gsize) (y + 2 + i) * width + x) * 3, 0, 6);
    }
  return facet_image_new_from_rgb (rgb, width, height, (gsize) width * 3, NULL);
}

/* ---- which pictures are shown in parts ---- */

static void
test_when (void)
{
  const struct { FacetImage *image; int automatic, on; const char *what; } cases[] = {
    { smooth_picture (1600, 1200), 0, 2, "a photo" },
    { printed_picture (1600, 1200), 2, 2, "small print" },
    { printed_picture (1200, 1600), 2, 2, "small print, upright" },
    { printed_picture (800, 600), 0, 2, "print that nothing is lost of" },
    { printed_picture (1600, 1500), 0, 0, "print, nearly square" },
    { smooth_picture (1200, 500), 2, 2, "a wide photo" },
    { smooth_picture (300, 1000), 3, 3, "a tall photo" },
    { smooth_picture (640, 216), 0, 0, "a wide photo, too low for parts" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    FacetImage *image = cases[i].image;

    g_test_message ("%s", cases[i].what);
    g_assert_cmpint (facet_image_crops (image, FACET_PAN_AND_SCAN_AUTO), ==, cases[i].automatic);
    g_assert_cmpint (facet_image_crops (image, FACET_PAN_AND_SCAN_AUTO), ==, cases[i].automatic);
    g_assert_cmpint (facet_image_crops (image, FACET_PAN_AND_SCAN_ON), ==, cases[i].on);
    g_assert_cmpint (facet_image_crops (image, FACET_PAN_AND_SCAN_OFF), ==, 0);
    facet_image_unref (image);
  }
}

/* ---- how they are framed ---- */

static char *
render (FacetPrompt *prompt, FacetFamily family, FacetRendered *rendered)
{
  g_autofree char *path = kit_path (family == FACET_FAMILY_GEMMA4 ? "models/gemma4-tiny/text-f32.gguf" : "models/gemma3-tiny/text-f32.gguf");
  g_autoptr (GError) error = NULL;
  g_autoptr (FacetGguf) gguf = facet_gguf_open (path, &error);
  FacetTokenizer *tokenizer;
  GString *text = g_string_new (NULL);

  g_assert_no_error (error);
  tokenizer = facet_tokenizer_new (gguf, &error);
  g_assert_no_error (error);
  g_assert_true (facet_prompt_render (prompt, tokenizer, family, TRUE, rendered, &error));
  g_assert_no_error (error);
  for (guint i = 0; i < rendered->ids->len; i++) {
    gint32 id = g_array_index (rendered->ids, gint32, i);

    if (id == FACET_ID_MEDIA)
      g_string_append_c (text, '@');
    else if (facet_tokenizer_is_control (tokenizer, id))
      g_string_append_printf (text, "[%s]", facet_tokenizer_piece (tokenizer, id));
    else
      facet_tokenizer_decode (tokenizer, id, text);
  }
  facet_tokenizer_free (tokenizer);
  return g_string_free (text, FALSE);
}

#define ONE "\n\n<start_of_image>@<end_of_image>\n\n"

static void
test_framing (void)
{
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_RAW);
  g_autoptr (FacetImage) tall = smooth_picture (300, 1000);
  g_auto (FacetRendered) parts = { NULL }, whole = { NULL };
  g_autofree char *text = NULL, *plain = NULL;

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_text (prompt, "See", -1);
  facet_prompt_add_image (prompt, tall);
  text = render (prompt, FACET_FAMILY_GEMMA3, &parts);
  g_assert_nonnull (strstr (text, "SeeHere is the original image " ONE " and here are some crops to help you see better " ONE " " ONE " " ONE));
  g_assert_cmpuint (parts.media->len, ==, 4);
  for (int i = 0; i < 4; i++) {
    g_assert_true (g_array_index (parts.media, FacetMedia, i).image == tall);
    g_assert_cmpint (g_array_index (parts.media, FacetMedia, i).crop, ==, i);
  }

  facet_prompt_set_pan_and_scan (prompt, FACET_PAN_AND_SCAN_OFF);
  plain = render (prompt, FACET_FAMILY_GEMMA3, &whole);
  g_assert_true (g_str_has_suffix (plain, "See" ONE));
  g_assert_cmpuint (whole.media->len, ==, 1);
}

/* What the original's template makes of a picture and the policy "POLICY". */
static void
test_policy (void)
{
  static const char expected[]
      = "<start_of_turn>user\n\n\n<start_of_image>@<end_of_image>\n\n<start_of_turn>user\n"
        "You are a policy expert trying to help determine whether a generated or real image is in\n"
        "                 violation of the safety policy below. Your decision must very clearly follow the specific\n"
        "                 language used in the safety policy and should not include any interpretation outside of the\n"
        "                 safety policy.\n\n\n"
        "                <BEGIN_SAFETY_POLICY>\n\n"
        "                POLICY\n\n"
        "                </END_SAFETY_POLICY>\n\n\n"
        "                Does the image violate the above policy? Your Answer must start with 'Yes' or 'No'.\n"
        "                <end_of_turn>\n<start_of_turn>model\n";
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_POLICY);
  /* Never in parts. */
  g_autoptr (FacetImage) tall = smooth_picture (300, 1000);
  g_auto (FacetRendered) rendered = { NULL };
  g_autofree char *text = NULL;
  GString *plain;

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_image (prompt, tall);
  facet_prompt_add_text (prompt, "POLICY", -1);
  text = render (prompt, FACET_FAMILY_GEMMA3, &rendered);
  plain = g_string_new (text);
  g_string_replace (plain, "[", "", 0);
  g_string_replace (plain, "]", "", 0);
  g_assert_true (g_str_has_suffix (plain->str, expected));
  g_string_free (plain, TRUE);
  g_assert_nonnull (strstr (facet_policy_text ("violence"), "Violence/Gore"));
  g_assert_null (facet_policy_text ("none such"));
}

/* The logit of the token with which an answer of this word begins. */
static double
logit_of (FacetModel *model, const GArray *logits, const char *word)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  facet_tokenize (model, word, strlen (word), FALSE, ids);
  return g_array_index (logits, float, g_array_index (ids, gint32, 0));
}

/* The softmax over the logits of Yes and No after the policy's prompt, of each picture its own. */
static void
test_judge (void)
{
  g_autoptr (FacetModel) model = load_model ();
  g_autoptr (FacetSession) session = new_session (model);
  g_autoptr (FacetImage) chart = kit_picture ("chart.png"), photo = kit_picture ("photo.png");
  g_autoptr (GError) error = NULL;
  double a = facet_session_judge_image (session, chart, facet_policy_text ("dangerous"), NULL, &error);
  double b = facet_session_judge_image (session, photo, facet_policy_text ("dangerous"), NULL, &error);
  double again = facet_session_judge_image (session, chart, facet_policy_text ("dangerous"), NULL, &error), yes;
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_POLICY);
  g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float));

  g_assert_no_error (error);
  g_assert_true (a > 0 && a < 1 && b > 0 && b < 1);
  g_assert_cmpfloat (a, !=, b);
  g_assert_cmpfloat_with_epsilon (a, again, 1e-5);

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_image (prompt, photo);
  facet_prompt_add_text (prompt, facet_policy_text ("dangerous"), -1);
  g_assert_true (facet_session_logits (session, prompt, FALSE, logits, NULL, &error));
  yes = exp (logit_of (model, logits, "Yes"));
  g_assert_cmpfloat_with_epsilon (b, yes / (yes + exp (logit_of (model, logits, "No"))), 1e-5);
}

/* ---- what they cost ---- */

static void
test_cost (void)
{
  g_autoptr (FacetModel) model = load_model ();
  g_autoptr (FacetSession) session = new_session (model);
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);
  g_autoptr (FacetImage) tall = smooth_picture (300, 1000);
  g_autoptr (GError) error = NULL;
  g_auto (FacetReply) reply = { NULL };
  int with, without, tokens;

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_image (prompt, tall);
  facet_prompt_add_text (prompt, "What is it?", -1);
  with = facet_session_count (session, prompt, NULL, &error);
  g_assert_cmpint (facet_session_count_crops (session, prompt, &tokens, &error), ==, 3);
  g_assert_cmpint (tokens, ==, 3 * 16);
  g_assert_true (facet_session_reply (session, prompt, &(FacetReplyParams) { .max_tokens = 2 }, &reply, &error));
  g_assert_no_error (error);
  g_assert_cmpint (reply.stats.prompt_tokens, ==, with);
  g_assert_cmpint (reply.stats.crops, ==, 3);
  g_assert_cmpint (reply.stats.crop_tokens, ==, 3 * 16);
  /* The whole and each part are encoded once, and are not the same. */
  g_assert_cmpuint (facet_projector_runs (facet_model_get_projector (model)), ==, 4);

  facet_prompt_set_pan_and_scan (prompt, FACET_PAN_AND_SCAN_OFF);
  without = facet_session_count (session, prompt, NULL, &error);
  g_assert_cmpint (with - without, >, 3 * 16);
  g_assert_cmpint (facet_session_count_crops (session, prompt, &tokens, &error), ==, 0);
  g_assert_cmpint (tokens, ==, 0);
}

/* ---- talks ---- */

static const char *const questions[] = { "What is this?", "And this?", "Is it like the first?", "Which is larger?" };

/* A talk of @turns questions; pictures[i] (NULL: none) stands in question i. */
static FacetPrompt *
make_talk (FacetImage *const pictures[4], int turns)
{
  FacetPrompt *prompt = facet_prompt_new (FACET_TEMPLATE_FAMILY);

  for (int i = 0; i < turns; i++) {
    facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
    if (pictures[i])
      facet_prompt_add_image (prompt, pictures[i]);
    facet_prompt_add_text (prompt, questions[i], -1);
    if (i + 1 < turns) {
      facet_prompt_begin_turn (prompt, FACET_ROLE_MODEL);
      facet_prompt_add_text (prompt, "Yes.", -1);
    }
  }
  return prompt;
}

static GArray *
logits_of (FacetSession *session, FacetPrompt *prompt)
{
  GArray *logits = g_array_new (FALSE, FALSE, sizeof (float));
  g_autoptr (GError) error = NULL;

  g_assert_true (facet_session_logits (session, prompt, FALSE, logits, NULL, &error));
  g_assert_no_error (error);
  return logits;
}

static double
largest_difference (const GArray *a, const GArray *b)
{
  double worst = 0;

  g_assert_cmpuint (a->len, ==, b->len);
  for (guint i = 0; i < a->len; i++)
    worst = MAX (worst, fabs ((double) g_array_index (a, float, i) - g_array_index (b, float, i)));
  return worst;
}

/* Four questions one after the other: what came before is in the cache, a
 * picture shown again is not encoded again, and the last logits are those of
 * the whole talk computed at once. */
static void
test_four_turns (void)
{
  g_autoptr (FacetModel) model = load_model ();
  g_autoptr (FacetSession) session = new_session (model), fresh = new_session (model);
  g_autoptr (FacetImage) chart = kit_picture ("chart.png"), photo = kit_picture ("photo.png"), again = kit_picture ("chart.png");
  FacetImage *const pictures[4] = { chart, photo, again, NULL };
  const guint runs[4] = { 1, 2, 2, 2 };
  g_autoptr (GArray) last = NULL, at_once = NULL;
  g_autoptr (FacetPrompt) whole = make_talk (pictures, 4);
  g_autoptr (GError) error = NULL;
  int before = 0;

  for (int turns = 1; turns <= 4; turns++) {
    g_autoptr (FacetPrompt) prompt = make_talk (pictures, turns);
    int cached;

    g_assert_cmpint (facet_session_count (session, prompt, &cached, &error), >, before);
    g_assert_cmpint (cached, >=, before);
    g_clear_pointer (&last, g_array_unref);
    last = logits_of (session, prompt);
    g_assert_cmpuint (facet_projector_runs (facet_model_get_projector (model)), ==, runs[turns - 1]);
    /* All but the opening of the answer is kept for the next question. */
    before = facet_session_count (session, prompt, NULL, &error) - 8;
  }
  at_once = logits_of (fresh, whole);
  g_assert_cmpuint (facet_projector_runs (facet_model_get_projector (model)), ==, 2);
  g_assert_cmpfloat (largest_difference (last, at_once), <, 1e-3);
}

static void
test_swapped (void)
{
  g_autoptr (FacetModel) model = load_model ();
  g_autoptr (FacetSession) session = new_session (model), fresh = new_session (model);
  g_autoptr (FacetImage) chart = kit_picture ("chart.png"), photo = kit_picture ("photo.png");
  g_autoptr (FacetPrompt) one = make_talk ((FacetImage *const[4]) { chart, photo, NULL, NULL }, 4);
  g_autoptr (FacetPrompt) other = make_talk ((FacetImage *const[4]) { photo, chart, NULL, NULL }, 4);
  g_autoptr (GArray) a = logits_of (session, one), b = logits_of (session, other), right = logits_of (fresh, other), back = logits_of (session, one);

  g_assert_cmpfloat (largest_difference (a, b), >, 0.05);
  g_assert_cmpfloat (largest_difference (b, right), <, 1e-3);
  g_assert_cmpfloat (largest_difference (a, back), <, 1e-3);
  g_assert_cmpuint (facet_projector_runs (facet_model_get_projector (model)), ==, 2);
}

/* What was dropped from the store is encoded again, to the same logits. */
static void
test_evicted (void)
{
  g_autoptr (FacetModel) model = load_model ();
  FacetProjector *projector = facet_model_get_projector (model);
  g_autoptr (FacetSession) session = new_session (model), later = new_session (model);
  g_autoptr (FacetImage) chart = kit_picture ("chart.png"), photo = kit_picture ("photo.png");
  g_autoptr (FacetPrompt) prompt = make_talk ((FacetImage *const[4]) { chart, photo, chart, photo }, 4);
  g_autoptr (GArray) first = NULL, second = NULL;

  facet_projector_set_budget (projector, 16 * 256 * sizeof (float));
  first = logits_of (session, prompt);
  /* One picture at a time fits, so that each is encoded whenever it comes. */
  g_assert_cmpuint (facet_projector_runs (projector), ==, 4);
  facet_projector_set_budget (projector, 0);
  facet_projector_set_budget (projector, 1 << 20);
  second = logits_of (later, prompt);
  g_assert_cmpuint (facet_projector_runs (projector), ==, 6);
  g_assert_cmpfloat (largest_difference (first, second), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/picture-prompts/when", test_when);
  g_test_add_func ("/picture-prompts/framing", test_framing);
  g_test_add_func ("/picture-prompts/policy", test_policy);
  g_test_add_func ("/picture-prompts/judge", test_judge);
  g_test_add_func ("/picture-prompts/cost", test_cost);
  g_test_add_func ("/picture-prompts/four-turns", test_four_turns);
  g_test_add_func ("/picture-prompts/swapped", test_swapped);
  g_test_add_func ("/picture-prompts/evicted", test_evicted);
  return g_test_run ();
}
