/* Prompts as rows: what pictures and sounds take, what two prompts share, and
 * that a sound may be computed in parts. */
#include "facet.h"

#include "models/projector.h"
#include "session/model.h"
#include "session/timeline.h"

#include <math.h>

#define VOCAB 368

static char *
kit_model (const char *family, const char *name)
{
  return g_build_filename (g_getenv ("FACET_TEST_DATA"), "kit", "models", family, name, NULL);
}

static FacetProjector *
load_projector (const char *family)
{
  g_autofree char *path = kit_model (family, "mmproj.gguf");
  g_autoptr (GError) error = NULL;
  FacetProjector *projector = facet_projector_load (path, NULL, &error);

  g_assert_no_error (error);
  return projector;
}

static FacetAudio *
make_sound (double seconds, float pitch)
{
  gsize n = (gsize) (seconds * 16000);
  g_autofree float *samples = g_new (float, n + 1);
  FacetAudio *audio;

  for (gsize i = 0; i < n; i++)
    samples[i] = 0.3f * sinf (pitch * i);
  audio = facet_audio_new_samples (samples, n, 1, 16000, NULL);
  g_assert_nonnull (audio);
  return audio;
}

static void
rendered_init (FacetRendered *rendered)
{
  *rendered = (FacetRendered){ .ids = g_array_new (FALSE, FALSE, sizeof (gint32)), .media = g_array_new (FALSE, FALSE, sizeof (FacetMedia)) };
  g_array_set_clear_func (rendered->media, (GDestroyNotify) facet_media_clear);
}

static void
put_id (FacetRendered *rendered, gint32 id)
{
  g_array_append_val (rendered->ids, id);
}

static void
put_sound (FacetRendered *rendered, FacetAudio *audio)
{
  FacetMedia media = facet_media_ref ((FacetMedia){ .audio = audio });

  put_id (rendered, FACET_ID_MEDIA);
  g_array_append_val (rendered->media, media);
}

static gint32
id_at (const FacetTimeline *timeline, int row)
{
  return g_array_index (timeline->ids, gint32, row);
}

/* Gemma 4 gives a sound a row per 40 ms; Gemma 3n always 188, of which the
 * last id of the vocabulary fills what is missing, unless media stand bare. */
static void
test_rows (void)
{
  g_autoptr (FacetProjector) four = load_projector ("gemma4-tiny"), three = load_projector ("gemma3n-tiny");
  g_autoptr (FacetAudio) audio = make_sound (2, 0.1f);
  g_auto (FacetRendered) rendered = { NULL };
  g_auto (FacetTimeline) a = { NULL }, b = { NULL }, c = { NULL };
  g_autoptr (GError) error = NULL;

  rendered_init (&rendered);
  put_id (&rendered, 2);
  put_sound (&rendered, audio);
  put_id (&rendered, 7);

  facet_timeline_init (&a);
  g_assert_true (facet_timeline_fill (&a, &rendered, four, VOCAB, &error));
  g_assert_cmpint (facet_timeline_span (&a, 1)->n, ==, 50);
  g_assert_cmpuint (a.ids->len, ==, 52);

  facet_timeline_init (&b);
  g_assert_true (facet_timeline_fill (&b, &rendered, three, VOCAB, &error));
  g_assert_cmpint (facet_timeline_span (&b, 1)->n, ==, 13);
  g_assert_cmpuint (b.ids->len, ==, 190);
  g_assert_cmpint (id_at (&b, 13), ==, FACET_ID_MEDIA);
  g_assert_cmpint (id_at (&b, 14), ==, VOCAB - 1);
  g_assert_cmpint (id_at (&b, 188), ==, VOCAB - 1);
  g_assert_cmpint (id_at (&b, 189), ==, 7);

  facet_timeline_init (&c);
  rendered.bare = TRUE;
  g_assert_true (facet_timeline_fill (&c, &rendered, three, VOCAB, &error));
  g_assert_cmpuint (c.ids->len, ==, 15);
}

static void
test_refusals (void)
{
  g_autoptr (FacetProjector) deaf = load_projector ("gemma3-tiny"), four = load_projector ("gemma4-tiny");
  g_autoptr (FacetAudio) audio = make_sound (1, 0.1f), too_long = make_sound (30.1, 0.1f);
  const struct {
    FacetProjector *projector;
    FacetAudio     *audio;
    FacetErrorCode  code;
  } cases[] = { { NULL, audio, FACET_ERROR_NO_ENCODER },
                { deaf, audio, FACET_ERROR_NO_ENCODER },
                { four, too_long, FACET_ERROR_INVALID } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (FacetRendered) rendered = { NULL };
    g_auto (FacetTimeline) timeline = { NULL };
    g_autoptr (GError) error = NULL;

    rendered_init (&rendered);
    put_sound (&rendered, cases[i].audio);
    facet_timeline_init (&timeline);
    g_assert_false (facet_timeline_fill (&timeline, &rendered, cases[i].projector, VOCAB, &error));
    g_assert_error (error, FACET_ERROR, (int) cases[i].code);
  }
}

static void
fill (FacetTimeline *timeline, FacetProjector *projector, FacetAudio *audio, gint32 last)
{
  g_auto (FacetRendered) rendered = { NULL };

  rendered_init (&rendered);
  put_id (&rendered, 2);
  put_sound (&rendered, audio);
  put_id (&rendered, last);
  facet_timeline_init (timeline);
  g_assert_true (facet_timeline_fill (timeline, &rendered, projector, VOCAB, NULL));
}

/* Sounds agree by content; a timeline cut inside a sound holds its first rows. */
static void
test_common (void)
{
  g_autoptr (FacetProjector) four = load_projector ("gemma4-tiny");
  g_autoptr (FacetAudio) audio = make_sound (2, 0.1f), same = make_sound (2, 0.1f), other = make_sound (2, 0.2f);
  g_auto (FacetTimeline) a = { NULL }, b = { NULL }, c = { NULL }, part = { NULL };

  fill (&a, four, audio, 7);
  fill (&b, four, same, 8);
  fill (&c, four, other, 7);
  g_assert_cmpint (facet_timeline_common (&a, &b), ==, 51);
  g_assert_cmpint (facet_timeline_common (&a, &c), ==, 1);

  facet_timeline_init (&part);
  facet_timeline_copy (&part, &a, 0, 20);
  g_assert_cmpint (facet_timeline_common (&part, &a), ==, 20);
  facet_timeline_copy (&part, &a, 20, 52);
  g_assert_cmpuint (part.spans->len, ==, 1);
  g_assert_cmpint (facet_timeline_common (&part, &a), ==, 52);
  facet_timeline_cut (&part, 30);
  g_assert_cmpint (facet_timeline_common (&part, &a), ==, 30);
  facet_timeline_cut (&part, 1);
  g_assert_cmpuint (part.spans->len, ==, 0);
}

/* ---- through a decoder ---- */

/* Gemma 3's tiny decoder takes the sounds of Gemma 4's tiny projector: both
 * are equally wide, and soft tokens are soft tokens. */
static FacetModel *
load_hearing_model (void)
{
  g_autofree char *text = kit_model ("gemma3-tiny", "text-f32.gguf"), *ears = kit_model ("gemma4-tiny", "mmproj.gguf");
  g_autoptr (GError) error = NULL;
  FacetModel *model = facet_model_load (text, &(FacetModelParams){ .exact = TRUE }, &error);

  g_assert_no_error (error);
  model->projector = facet_projector_new (ears, model->backend, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpint (facet_projector_width (model->projector), ==, model->decoder->width);
  g_assert_true (facet_model_accepts_audio (model));
  return model;
}

static FacetPrompt *
make_prompt (FacetAudio *audio, gint32 last)
{
  FacetPrompt *prompt = facet_prompt_new (FACET_TEMPLATE_RAW);

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, (const gint32[]){ 2, 5 }, 2);
  facet_prompt_add_audio (prompt, audio);
  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_tokens (prompt, &last, 1);
  return prompt;
}

static GArray *
compute (FacetSession *session, FacetPrompt *prompt, gboolean all)
{
  GArray *logits = g_array_new (FALSE, FALSE, sizeof (float));
  g_autoptr (GError) error = NULL;

  g_assert_true (facet_session_logits (session, prompt, all, logits, NULL, &error));
  g_assert_no_error (error);
  return logits;
}

static void
assert_close (const float *a, const float *b, gsize n)
{
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat (fabs ((double) a[i] - b[i]), <=, 1e-4 * fmax (1, fabs (b[i])));
}

/* Steps smaller than the sound, a beginning found in the cache and all rows
 * at once give the same logits, since the rows of a sound see only what came
 * before; another sound does not. */
static void
test_parts (void)
{
  g_autoptr (FacetModel) model = load_hearing_model ();
  g_autoptr (FacetSession) whole = facet_session_new (model, &(FacetSessionParams){ .chunk = 512 }, NULL);
  g_autoptr (FacetSession) parts = facet_session_new (model, &(FacetSessionParams){ .chunk = 16 }, NULL);
  g_autoptr (FacetAudio) audio = make_sound (2, 0.1f), other = make_sound (2, 0.2f);
  g_autoptr (FacetPrompt) prompt = make_prompt (audio, 9), next = make_prompt (audio, 11), changed = make_prompt (other, 9);
  g_autoptr (GArray) a = compute (whole, prompt, FALSE), b = compute (parts, prompt, FALSE), every = compute (whole, prompt, TRUE), all = compute (parts, prompt, TRUE);
  g_autoptr (GArray) c = NULL, d = NULL, e = NULL;
  gsize vocab = facet_model_vocab_size (model);
  int cached;
  guint runs;

  g_assert_cmpuint (all->len, ==, 53 * vocab);
  assert_close ((const float *) b->data, (const float *) a->data, vocab);
  assert_close ((const float *) all->data + 52 * vocab, (const float *) a->data, vocab);
  assert_close ((const float *) all->data, (const float *) every->data, 53 * vocab);

  g_assert_cmpint (facet_session_count (parts, next, &cached, NULL), ==, 53);
  g_assert_cmpint (cached, ==, 52);
  runs = facet_projector_runs (model->projector);
  c = compute (parts, next, FALSE);
  d = compute (whole, next, FALSE);
  assert_close ((const float *) c->data, (const float *) d->data, vocab);
  g_assert_cmpuint (facet_projector_runs (model->projector), ==, runs);

  e = compute (whole, changed, FALSE);
  g_assert_cmpuint (facet_projector_runs (model->projector), ==, runs + 1);
  g_assert_cmpint (memcmp (a->data, e->data, vocab * sizeof (float)), !=, 0);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/timeline/rows", test_rows);
  g_test_add_func ("/timeline/refusals", test_refusals);
  g_test_add_func ("/timeline/common", test_common);
  g_test_add_func ("/timeline/parts", test_parts);
  return g_test_run ();
}
