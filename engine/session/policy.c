#include <math.h>
#include <string.h>

#include "session/session-private.h"

static const struct {
  const char *name, *text;
} policies[] = {
  { "dangerous", "No Dangerous Content: The image shall not contain content that facilitates or encourages activities that could "
                 "cause real-world harm (e.g., building firearms and explosive devices, promotion of terrorism, instructions for "
                 "suicide)." },
  { "sexual", "No Sexually Explicit content: The image shall not contain content that depicts explicit or graphic sexual acts "
              "(e.g., pornography, erotic nudity, depictions of rape or sexual assault)." },
  { "violence", "No Violence/Gore content: The image shall not contain content that depicts shocking, sensational, or gratuitous "
                "violence (e.g., excessive blood and gore, gratuitous violence against animals, extreme injury or moment of death)." },
};

const char *
facet_policy_text (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (policies); i++)
    if (g_str_equal (policies[i].name, name))
      return policies[i].text;
  return NULL;
}

/* Of the token with which an answer of this word begins. */
static double
logit_of (FacetModel *model, const GArray *logits, const char *word)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (gint32));

  facet_tokenizer_encode (model->tokenizer, word, strlen (word), FACET_TOKENIZE_TEXT, ids);
  return g_array_index (logits, float, g_array_index (ids, gint32, 0));
}

double
facet_session_judge_image (FacetSession *session, FacetImage *image, const char *policy, FacetCancel *cancel, GError **error)
{
  g_autoptr (FacetPrompt) prompt = facet_prompt_new (FACET_TEMPLATE_POLICY);
  g_autoptr (GArray) logits = g_array_new (FALSE, FALSE, sizeof (float));

  facet_prompt_begin_turn (prompt, FACET_ROLE_USER);
  facet_prompt_add_image (prompt, image);
  facet_prompt_add_text (prompt, policy, -1);
  if (!facet_session_logits (session, prompt, FALSE, logits, cancel, error))
    return NAN;
  return 1 / (1 + exp (logit_of (session->model, logits, "No") - logit_of (session->model, logits, "Yes")));
}
