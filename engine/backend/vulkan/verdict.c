/* What the self-test found is remembered until driver, shaders or this backend's
 * own code change. Kernels are tested when a model comes that would use them. */
#include "backend/vulkan/vk.h"

#include <string.h>

#include "backend/vulkan/code.h"

#define GROUP "self-test"
#define WORKS "works"
#define DISAGREES "disagrees"
/* Of 1000: what all types share is tested when the device is opened, types for each model. */
#define REST_SHARE 200

static const char *
finding_name (FacetVkFinding finding)
{
  return finding == FACET_VK_RIGHT ? WORKS : DISAGREES;
}

/* "Q4_0", "experts of Q4_0" */
static char *
kernel_name (FacetVkUse use, int dtype)
{
  return g_strconcat (use == FACET_VK_EXPERTS ? "experts of " : "", facet_dtype_name ((guint32) dtype), NULL);
}

/* ---- the file ---- */

/* NULL: there is none that this code wrote. */
static GKeyFile *
open_file (const char *path)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *code = NULL;

  if (!g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL))
    return NULL;
  code = g_key_file_get_string (file, GROUP, "code", NULL);
  return g_strcmp0 (code, FACET_VK_CODE) == 0 ? g_steal_pointer (&file) : NULL;
}

static void
read_findings (const char *cache_key, FacetVkVerdict *verdict)
{
  g_autofree char *path = facet_vk_cache_file (cache_key, ".verdict");
  g_autoptr (GKeyFile) file = open_file (path);

  *verdict = (FacetVkVerdict) { .read = TRUE };
  if (file == NULL)
    return;
  verdict->rest = g_key_file_get_string (file, GROUP, "rest", NULL);
  for (int tier = 0; tier < FACET_VK_N_TIERS; tier++)
    for (int use = 0; use < FACET_VK_N_USES; use++)
      for (int dtype = 0; dtype < FACET_DTYPE_COUNT; dtype++) {
        g_autofree char *name = kernel_name ((FacetVkUse) use, dtype);
        g_autofree char *finding = g_key_file_get_string (file, facet_vk_tier_name ((FacetVkTier) tier), name, NULL);

        for (int f = FACET_VK_RIGHT; f <= FACET_VK_WRONG; f++)
          if (g_strcmp0 (finding, finding_name ((FacetVkFinding) f)) == 0)
            verdict->of[tier][use][dtype] = (FacetVkFinding) f;
      }
}

/* With what another program may have found in the meantime. */
static void
write_findings (const char *cache_key, const FacetVkVerdict *verdict)
{
  g_autofree char *path = facet_vk_cache_file (cache_key, ".verdict");
  g_autoptr (GKeyFile) file = open_file (path);

  if (file == NULL)
    file = g_key_file_new ();
  g_key_file_set_string (file, GROUP, "code", FACET_VK_CODE);
  g_key_file_set_string (file, GROUP, "rest", verdict->rest);
  for (int tier = 0; tier < FACET_VK_N_TIERS; tier++)
    for (int use = 0; use < FACET_VK_N_USES; use++)
      for (int dtype = 0; dtype < FACET_DTYPE_COUNT; dtype++) {
        FacetVkFinding finding = verdict->of[tier][use][dtype];
        g_autofree char *name = kernel_name ((FacetVkUse) use, dtype);

        if (finding != FACET_VK_UNTESTED)
          g_key_file_set_string (file, facet_vk_tier_name ((FacetVkTier) tier), name, finding_name (finding));
      }
  if (!g_key_file_save_to_file (file, path, NULL))
    g_info ("%s could not be written", path);
}

void
facet_vk_verdict_clear (FacetVkVerdict *verdict)
{
  g_free (verdict->rest);
  *verdict = (FacetVkVerdict) { 0 };
}

static char *
describe (const FacetVkVerdict *verdict)
{
  GString *text;

  if (g_strcmp0 (verdict->rest, WORKS) != 0)
    return g_strdup (verdict->rest);
  text = g_string_new (WORKS);
  for (int tier = FACET_VK_N_TIERS - 1; tier >= 0; tier--)
    for (int use = 0; use < FACET_VK_N_USES; use++)
      for (int dtype = 0; dtype < FACET_DTYPE_COUNT; dtype++)
        if (verdict->of[tier][use][dtype] == FACET_VK_WRONG) {
          g_autofree char *name = kernel_name ((FacetVkUse) use, dtype);

          g_string_append_printf (text, "%s%s of %s", text->len > strlen (WORKS) ? ", " : " without ", facet_vk_tier_name ((FacetVkTier) tier), name);
        }
  return g_string_free (text, FALSE);
}

char *
facet_vk_verdict (const char *cache_key)
{
  FacetVkVerdict verdict;
  char *text;

  read_findings (cache_key, &verdict);
  text = describe (&verdict);
  facet_vk_verdict_clear (&verdict);
  return text;
}

/* ---- tiers ---- */

static gboolean
is_wrong (const FacetVk *vk, FacetVkTier tier, int dtype)
{
  return vk->verdict.of[tier][FACET_VK_PRODUCTS][dtype] == FACET_VK_WRONG || vk->verdict.of[tier][FACET_VK_EXPERTS][dtype] == FACET_VK_WRONG;
}

static void
demote (const FacetVk *vk, int dtype, FacetVkTier *tier)
{
  while (*tier > FACET_VK_SCALAR && is_wrong (vk, *tier, dtype))
    *tier = facet_vk_lower_tier (vk, *tier, (FacetDtype) dtype);
}

/* The best tiers, less those that are wrong. */
static void
choose_tiers (FacetVk *vk)
{
  facet_vk_set_tiers (vk, vk->exact ? FACET_VK_SCALAR : facet_vk_best_tier (vk));
  for (int dtype = 0; dtype < FACET_DTYPE_COUNT; dtype++) {
    demote (vk, dtype, &vk->tiers[dtype]);
    demote (vk, dtype, &vk->few_tiers[dtype]);
  }
}

/* ---- what is to be tested ---- */

static void
find_needs (const FacetGraph *graph, FacetVkKernels *needs)
{
  for (int i = 0; i < facet_graph_n_nodes (graph); i++) {
    const FacetNode *node = facet_graph_node (graph, i);
    gboolean experts = node->op == FACET_OP_EXPERTS_UP || node->op == FACET_OP_EXPERTS_DOWN;

    if (experts || node->op == FACET_OP_MATMUL || node->op == FACET_OP_CONV)
      needs->of[experts ? FACET_VK_EXPERTS : FACET_VK_PRODUCTS][node->w[0]->dtype] = TRUE;
    if (node->op == FACET_OP_EXPERTS_UP)
      needs->of[FACET_VK_EXPERTS][node->w[1]->dtype] = TRUE;
  }
}

/* Those of @needs that would be used in @tier and were not tested there. Returns how many. */
static int
find_untested (const FacetVk *vk, const FacetVkKernels *needs, FacetVkTier tier, FacetVkKernels *untested)
{
  int n = 0;

  for (int use = 0; use < FACET_VK_N_USES; use++)
    for (int dtype = 0; dtype < FACET_DTYPE_COUNT; dtype++) {
      gboolean used = vk->tiers[dtype] == tier || vk->few_tiers[dtype] == tier;

      untested->of[use][dtype] = needs->of[use][dtype] && used && vk->verdict.of[tier][use][dtype] == FACET_VK_UNTESTED;
      n += untested->of[use][dtype];
    }
  return n;
}

/* The highest tier that has any; FACET_VK_N_TIERS: none. */
static FacetVkTier
next_tier (const FacetVk *vk, const FacetVkKernels *needs, FacetVkKernels *untested)
{
  for (int tier = FACET_VK_N_TIERS - 1; tier >= 0; tier--)
    if (find_untested (vk, needs, (FacetVkTier) tier, untested) > 0)
      return (FacetVkTier) tier;
  return FACET_VK_N_TIERS;
}

/* ---- the test, for those who wait ---- */

/* Tells them how far all compilations are, not only the one that runs. */
typedef struct {
  void   (*progress) (guint64 done, guint64 total, gpointer data);
  gpointer data;
  guint64  from, to;      /* of 1000 */
  guint64  before, total; /* compilations */
} Watch;

static void
report_all (guint64 done, guint64 total, gpointer data)
{
  Watch *watch = data;
  guint64 all = MIN (watch->before * total + done, watch->total * total);

  watch->progress (watch->from + (watch->to - watch->from) * all / (watch->total * total), 1000, watch->data);
  if (done == total)
    watch->before++;
}

static void
begin_watch (FacetVk *vk, guint64 from, guint64 to, guint64 total, Watch *watch)
{
  *watch = (Watch) { vk->base.progress, vk->base.progress_data, from, to, 0, total };
  if (watch->progress == NULL)
    return;
  vk->base.progress = report_all;
  vk->base.progress_data = watch;
}

static void
end_watch (FacetVk *vk, const Watch *watch)
{
  vk->base.progress = watch->progress;
  vk->base.progress_data = watch->data;
}

/* What says nothing about tomorrow: memory or a device that are gone today, a
 * person who does not wait. */
static gboolean
is_passing (const FacetVk *vk, const GError *error)
{
  return vk->lost || g_error_matches (error, FACET_ERROR, FACET_ERROR_NO_MEMORY)
         || g_error_matches (error, FACET_ERROR, FACET_ERROR_CANCELLED);
}

static void
note (FacetVk *vk, FacetVkTier tier, const FacetVkKernels *tested, const FacetVkKernels *wrong)
{
  for (int use = 0; use < FACET_VK_N_USES; use++)
    for (int dtype = 0; dtype < FACET_DTYPE_COUNT; dtype++)
      if (tested->of[use][dtype])
        vk->verdict.of[tier][use][dtype] = wrong->of[use][dtype] ? FACET_VK_WRONG : FACET_VK_RIGHT;
}

/* FALSE on errors that pass. */
static gboolean
judge (FacetVk *vk, FacetVkTier tier, const FacetVkKernels *kernels, gboolean one, GError **error)
{
  FacetVkKernels wrong = { 0 };
  g_autoptr (GError) local = NULL;

  if (facet_vk_test_kernels (vk, tier, kernels, &wrong, &local)) {
    note (vk, tier, kernels, &wrong);
    return TRUE;
  }
  if (is_passing (vk, local)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  /* A driver that cannot build what it promises does without that: which of them it is shows one by one. */
  if (one) {
    g_info ("%s: %s", vk->info->name, local->message);
    note (vk, tier, kernels, kernels);
    return TRUE;
  }
  for (int use = 0; use < FACET_VK_N_USES; use++)
    for (int dtype = 0; dtype < FACET_DTYPE_COUNT; dtype++) {
      FacetVkKernels single = { 0 };

      single.of[use][dtype] = TRUE;
      if (kernels->of[use][dtype] && !judge (vk, tier, &single, TRUE, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
judge_rest (FacetVk *vk, GError **error)
{
  g_autoptr (GError) local = NULL;
  gboolean right;
  Watch watch;

  if (vk->verdict.rest == NULL) {
    begin_watch (vk, 0, REST_SHARE, 3, &watch);
    right = facet_vk_test_rest (vk, &local);
    end_watch (vk, &watch);
    if (!right && is_passing (vk, local)) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    vk->verdict.rest = g_strdup (right ? WORKS : local->message);
    write_findings (vk->cache_key, &vk->verdict);
  }
  if (g_str_equal (vk->verdict.rest, WORKS))
    return TRUE;
  g_set_error (error, FACET_ERROR, FACET_ERROR_DEVICE, "Vulkan: %s failed its self-test: %s", vk->info->name, vk->verdict.rest);
  return FALSE;
}

static guint64
count_compilations (const FacetVk *vk, const FacetVkKernels *needs)
{
  FacetVkKernels untested;
  guint64 n = 0;

  for (int tier = 0; tier < FACET_VK_N_TIERS; tier++)
    if (find_untested (vk, needs, (FacetVkTier) tier, &untested) > 0)
      n += tier == FACET_VK_MATRIX ? 1 : 2;
  return n;
}

static gboolean
judge_needs (FacetVk *vk, const FacetVkKernels *needs, GError **error)
{
  FacetVkKernels untested;
  gboolean judged = TRUE;
  FacetVkTier tier;
  Watch watch;

  if (next_tier (vk, needs, &untested) == FACET_VK_N_TIERS)
    return TRUE;
  begin_watch (vk, REST_SHARE, 1000, count_compilations (vk, needs), &watch);
  while (judged && (tier = next_tier (vk, needs, &untested)) < FACET_VK_N_TIERS) {
    judged = judge (vk, tier, &untested, FALSE, error);
    choose_tiers (vk);
    if (judged)
      write_findings (vk->cache_key, &vk->verdict);
  }
  end_watch (vk, &watch);
  return judged;
}

gboolean
facet_vk_trust (FacetVk *vk, const FacetGraph *graph, GError **error)
{
  FacetVkKernels needs = { 0 };

  if (vk->takes_untested)
    return TRUE;
  if (!vk->verdict.read)
    read_findings (vk->cache_key, &vk->verdict);
  if (!judge_rest (vk, error))
    return FALSE;
  choose_tiers (vk);
  if (graph == NULL)
    return TRUE;
  find_needs (graph, &needs);
  if (!judge_needs (vk, &needs, error))
    return FALSE;
  for (int use = 0; use < FACET_VK_N_USES; use++)
    for (int dtype = 0; dtype < FACET_DTYPE_COUNT; dtype++)
      if (needs.of[use][dtype] && is_wrong (vk, MIN (vk->tiers[dtype], vk->few_tiers[dtype]), dtype)) {
        g_set_error (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "Vulkan: %s failed its self-test: products of %s disagree with the reference",
                     vk->info->name, facet_dtype_name ((guint32) dtype));
        return FALSE;
      }
  return TRUE;
}
