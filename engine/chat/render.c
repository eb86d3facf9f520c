#include "chat/template.h"

static const char *const no_stops[] = { NULL };

void
facet_rendered_clear (FacetRendered *rendered)
{
  g_clear_pointer (&rendered->ids, g_array_unref);
  g_clear_pointer (&rendered->media, g_array_unref);
}

static gboolean
has_part (const FacetPrompt *prompt, FacetPartKind kind)
{
  for (guint i = 0; i < prompt->turns->len; i++) {
    const FacetTurn *turn = facet_prompt_turn (prompt, i);

    for (guint p = 0; p < turn->parts->len; p++)
      if (g_array_index (turn->parts, FacetTurnPart, p).kind == kind)
        return TRUE;
  }
  return FALSE;
}

/* Calls and results belong to turns of the model, media to the user's. */
static gboolean
check_parts (const FacetTurn *turn, guint index, GError **error)
{
  for (guint p = 0; p < turn->parts->len; p++) {
    FacetPartKind kind = g_array_index (turn->parts, FacetTurnPart, p).kind;

    if ((kind == FACET_PART_MEDIA) != (turn->role == FACET_ROLE_USER)) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "turn %u of the prompt holds %s, which belongs to another role", index,
                   kind == FACET_PART_MEDIA ? "a picture or sound" : "a tool call or result");
      return FALSE;
    }
  }
  return TRUE;
}

/* At most one system turn, at the start; then user and model in turn, the
 * user first. */
static gboolean
check_order (const FacetPrompt *prompt, GError **error)
{
  guint first = prompt->turns->len > 0 && facet_prompt_turn (prompt, 0)->role == FACET_ROLE_SYSTEM;

  if (prompt->turns->len == first) {
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_INVALID, "the prompt has no turn of a user");
    return FALSE;
  }
  for (guint i = first; i < prompt->turns->len; i++) {
    FacetRole wanted = (i - first) % 2 == 0 ? FACET_ROLE_USER : FACET_ROLE_MODEL;

    if (facet_prompt_turn (prompt, i)->role != wanted) {
      g_set_error (error, FACET_ERROR, FACET_ERROR_INVALID, "turn %u of the prompt is not the %s's", i,
                   wanted == FACET_ROLE_USER ? "user" : "model");
      return FALSE;
    }
    if (!check_parts (facet_prompt_turn (prompt, i), i, error))
      return FALSE;
  }
  return first == 0 || check_parts (facet_prompt_turn (prompt, 0), 0, error);
}

static void
render_raw (const FacetPrompt *prompt, FacetFamily family, FacetWriter *writer)
{
  gint32 bos = facet_tokenizer_bos (writer->tokenizer);
  FacetRendered *rendered = writer->rendered;

  rendered->bare = prompt->bare;
  if (!rendered->bare && prompt->turns->len > 0)
    g_array_append_val (rendered->ids, bos);
  for (guint i = 0; i < prompt->turns->len; i++) {
    const FacetTurn *turn = facet_prompt_turn (prompt, i);

    g_array_append_vals (rendered->ids, turn->ids->data, turn->ids->len);
    for (guint p = 0; p <= turn->parts->len; p++) {
      const char *text;
      gsize length;
      const FacetTurnPart *part = facet_turn_piece (turn, p, &text, &length);

      facet_writer_bytes (writer, text, length);
      if (part == NULL)
        break;
      if (rendered->bare)
        facet_writer_media (writer, part->media);
      else
        facet_writer_framed (writer, family, part->media);
    }
  }
}

static gboolean
render_family (const FacetPrompt *prompt, FacetFamily family, FacetWriter *writer, GError **error)
{
  if (family == FACET_FAMILY_UNKNOWN) {
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "the chat template of this family is not known");
    return FALSE;
  }
  if (family == FACET_FAMILY_GEMMA4)
    facet_gemma4_render (prompt, writer);
  else
    facet_gemma3_render (prompt, writer);
  return TRUE;
}

static gboolean
check_policy (const FacetPrompt *prompt, GError **error)
{
  const FacetTurn *turn = prompt->turns->len == 1 ? facet_prompt_turn (prompt, 0) : NULL;

  if (turn && turn->role == FACET_ROLE_USER && turn->parts->len == 1 && turn->text->len > 0
      && g_array_index (turn->parts, FacetTurnPart, 0).media.image)
    return TRUE;
  g_set_error_literal (error, FACET_ERROR, FACET_ERROR_INVALID, "a question about a policy is one turn of one picture and the policy");
  return FALSE;
}

static gboolean
render_turns (const FacetPrompt *prompt, FacetTemplate how, FacetFamily family, FacetWriter *writer, GError **error)
{
  gint32 bos = facet_tokenizer_bos (writer->tokenizer);

  if (!check_order (prompt, error))
    return FALSE;
  g_array_append_val (writer->rendered->ids, bos);
  if (how == FACET_TEMPLATE_POLICY) {
    if (!check_policy (prompt, error))
      return FALSE;
    facet_policy_render (prompt, writer);
    return TRUE;
  }
  if (how == FACET_TEMPLATE_FAMILY)
    return render_family (prompt, family, writer, error);
  facet_transcript_render (prompt, family, writer);
  return TRUE;
}

/* The form that is written where the prompt leaves it to the family. */
static FacetCallForm
form_for (const FacetPrompt *prompt, FacetTemplate how, FacetFamily family)
{
  if (how == FACET_TEMPLATE_FAMILY && family == FACET_FAMILY_GEMMA4)
    return FACET_CALLS_FAMILY;
  return prompt->form == FACET_CALLS_FAMILY ? FACET_CALLS_JSON : prompt->form;
}

gboolean
facet_prompt_render (const FacetPrompt *prompt,
                     FacetTokenizer    *tokenizer,
                     FacetFamily        family,
                     gboolean           has_chat_template,
                     FacetRendered     *rendered,
                     GError           **error)
{
  FacetTemplate how = prompt->how;
  FacetWriter writer;
  gboolean done = TRUE;

  if (how == FACET_TEMPLATE_AUTO)
    how = has_chat_template ? FACET_TEMPLATE_FAMILY : FACET_TEMPLATE_TRANSCRIPT;
  *rendered = (FacetRendered){ .ids = g_array_new (FALSE, FALSE, sizeof (gint32)),
                               .media = g_array_new (FALSE, FALSE, sizeof (FacetMedia)),
                               .stop_strings = no_stops,
                               .form = form_for (prompt, how, family) };
  g_array_set_clear_func (rendered->media, (GDestroyNotify) facet_media_clear);
  if (how == FACET_TEMPLATE_RAW && (prompt->tools != NULL || has_part (prompt, FACET_PART_CALL) || has_part (prompt, FACET_PART_RESULT))) {
    g_set_error_literal (error, FACET_ERROR, FACET_ERROR_UNSUPPORTED, "a prompt without a template has no place for tools");
    return FALSE;
  }
  facet_writer_init (&writer, tokenizer, rendered);
  /* Only the processor of this family has it; the safety models were not taught with it. */
  if (family == FACET_FAMILY_GEMMA3 && how != FACET_TEMPLATE_POLICY)
    writer.pan_and_scan = prompt->pan_and_scan;
  if (how == FACET_TEMPLATE_RAW)
    render_raw (prompt, family, &writer);
  else
    done = render_turns (prompt, how, family, &writer, error);
  return facet_writer_end (&writer, done ? error : NULL) && done;
}
