#define G_LOG_DOMAIN "facet"

#include "config.h"

#include <glib/gi18n-lib.h>
#include <math.h>
#include <string.h>

#include "facet-engine-check.h"

/* Up to here a violation is called unlikely; from there on, likely. */
#define UNLIKELY 0.3
#define LIKELY 0.7

typedef struct {
  const FacetEngineWork *work;
  gint64                 begun; /* monotonic, microseconds */
} Check;

static char *
percent (double probability)
{
  if (probability < 0.005)
    return g_strdup (C_("probability", "under 1 %"));
  if (probability > 0.995)
    return g_strdup (C_("probability", "over 99 %"));
  /* Translators: a probability, such as “3 %” */
  return g_strdup_printf (C_("probability", "%d %%"), (int) round (100 * probability));
}

char *
facet_verdict_text (const char *title, double probability)
{
  g_autofree char *share = percent (probability);

  /* Translators: a policy, such as “Violence and gore”, and how probable it is that a picture violates it, such as “3 %” */
  if (probability < UNLIKELY)
    return g_strdup_printf (_("%s: unlikely (%s)"), title, share);
  if (probability < LIKELY)
    return g_strdup_printf (_("%s: uncertain (%s)"), title, share);
  return g_strdup_printf (_("%s: likely (%s)"), title, share);
}

static void
put (Check *check, const char *text)
{
  check->work->params->on_text (text, strlen (text), check->work->params->user_data);
}

/* Before the first verdict on a picture. */
static void
put_heading (Check *check, guint number, guint total)
{
  /* Translators: pictures are numbered in the order in which they were attached */
  g_autofree char *title = g_strdup_printf (_("Picture %u"), number);
  g_autofree char *heading = g_strdup_printf ("%s**%s**\n\n", number > 1 ? "\n" : "", title);

  if (number == 1) {
    put (check, _("How probable it is, by this model’s judgement, that the policies are violated:"));
    put (check, "\n\n");
  }
  if (total > 1)
    put (check, heading);
}

static int
count (const FacetEngineWork *work, FacetImage *image, const char *policy, int *cached, GError **error)
{
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_POLICY);

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_image (prompt, image);
  facet_prompt_add_text (prompt, policy, -1);
  return facet_session_count (work->session, prompt, cached, error);
}

static void
add_stats (Check *check, FacetImage *image, const char *policy)
{
  FacetStats *stats = &check->work->summary->stats;
  int cached = 0;
  int tokens = count (check->work, image, policy, &cached, NULL);

  stats->prompt_tokens += MAX (0, tokens);
  stats->cached_tokens += cached;
}

static gboolean
judge (Check *check, FacetImage *image, guint number, guint total, GError **error)
{
  const GPtrArray *policies = check->work->request->policies;

  for (guint i = 0; i < policies->len; i++) {
    const FacetRequestPolicy *policy = policies->pdata[i];
    g_autofree char *verdict = NULL, *line = NULL;
    double probability;

    add_stats (check, image, policy->text);
    probability = facet_session_judge_image (check->work->session, image, policy->text, check->work->params->cancel, error);
    if (isnan (probability))
      return FALSE;
    if (i == 0)
      put_heading (check, number, total);
    verdict = facet_verdict_text (policy->title, probability);
    line = g_strdup_printf ("* %s\n", verdict);
    put (check, line);
    check->work->summary->stats.prefill_seconds = (double) (g_get_monotonic_time () - check->begun) / G_USEC_PER_SEC;
    if (number == 1 && i == 0)
      check->work->summary->stats.first_token_seconds = check->work->summary->stats.prefill_seconds;
  }
  return TRUE;
}

/* Parts of @turn; only pictures are judged. */
static guint
count_pictures (const FacetTurn *turn)
{
  guint n = 0;

  for (guint i = 0; i < turn->parts->len; i++)
    n += ((const FacetPart *) turn->parts->pdata[i])->kind == FACET_PART_PICTURE;
  return n;
}

static gboolean
judge_all (Check *check, GError **error)
{
  const FacetTurn *turn = check->work->request->turns->pdata[check->work->request->turns->len - 1];
  guint total = count_pictures (turn), number = 0;

  if (total == 0 || check->work->request->policies->len == 0) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "%u pictures are to be judged by %u policies", total, check->work->request->policies->len);
    return FALSE;
  }
  for (guint i = 0; i < turn->parts->len && number < total; i++) {
    const FacetPart *part = turn->parts->pdata[i];
    g_autoptr (FacetImage) image = NULL;

    if (part->kind != FACET_PART_PICTURE)
      continue;
    check->work->params->on_progress (FACET_PHASE_ENCODE_IMAGE, number, total, check->work->params->user_data);
    image = facet_media_cache_picture (check->work->media, part, error);
    if (image == NULL || !judge (check, image, ++number, total, error))
      return FALSE;
  }
  return TRUE;
}

int
facet_engine_check_count (const FacetEngineWork *work, FacetCancel *cancel, GError **error)
{
  const FacetTurn *turn = work->request->turns->pdata[work->request->turns->len - 1];
  int total = 0;

  for (guint i = 0; i < turn->parts->len; i++) {
    const FacetPart *part = turn->parts->pdata[i];
    g_autoptr (FacetImage) image = NULL;

    if (part->kind != FACET_PART_PICTURE)
      continue;
    if (facet_is_cancelled (cancel)) {
      g_set_error_literal (error, FACET_ERROR, FACET_ERROR_CANCELLED, "cancelled before all pictures were counted");
      return -1;
    }
    image = facet_media_cache_picture (work->media, part, error);
    if (image == NULL)
      return -1;
    for (guint k = 0; k < work->request->policies->len; k++) {
      int tokens = count (work, image, ((const FacetRequestPolicy *) work->request->policies->pdata[k])->text, NULL, error);

      if (tokens < 0)
        return -1;
      total += tokens;
    }
  }
  return total;
}

gboolean
facet_engine_check (const FacetEngineWork *work, GError **error)
{
  Check check = { work, g_get_monotonic_time () };
  g_autoptr (GError) failure = NULL;

  if (!facet_model_get_info (work->model)->is_safety) {
    g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "%s: no safety model, which alone judges pictures",
                 facet_model_get_info (work->model)->path);
    return FALSE;
  }
  work->summary->stop_reason = FACET_STOP_EOS;
  if (judge_all (&check, &failure))
    return TRUE;
  if (!g_error_matches (failure, FACET_ERROR, FACET_ERROR_CANCELLED)) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  work->summary->stop_reason = FACET_STOP_CANCELLED;
  return TRUE;
}
