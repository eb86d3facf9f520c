#include "conversation.h"

#include <string.h>

#include "facet-toolbox.h"
#include "media.h"
#include "report.h"

typedef struct {
  FacetRole role;
  char     *text;
  char     *files;   /* what stands before it; NULL: nothing */
  GPtrArray *steps;  /* ConversationStep, of the model */
  GPtrArray *images; /* NULL: none */
  GPtrArray *sounds;
} Turn;

struct Conversation {
  ConversationParams params;
  FacetSession      *session;
  GPtrArray         *turns; /* of Turn */
  GPtrArray         *images, *sounds; /* of the next turn; NULL: none */
  char              *files;           /* likewise */
  GPtrArray         *steps; /* ConversationStep, of the last answer */
};

static void
step_free (gpointer data)
{
  ConversationStep *step = data;

  g_free (step->name);
  g_free (step->arguments);
  g_free (step->result);
  g_free (step);
}

static void
turn_free (gpointer data)
{
  Turn *turn = data;

  g_free (turn->text);
  g_free (turn->files);
  g_clear_pointer (&turn->steps, g_ptr_array_unref);
  g_clear_pointer (&turn->images, g_ptr_array_unref);
  g_clear_pointer (&turn->sounds, g_ptr_array_unref);
  g_free (turn);
}

static void
add_turn (Conversation *conversation, FacetRole role, const char *text)
{
  Turn *turn = g_new (Turn, 1);

  *turn = (Turn){ .role = role, .text = g_strdup (text) };
  if (role == FACET_ROLE_USER) {
    turn->files = g_steal_pointer (&conversation->files);
    turn->images = g_steal_pointer (&conversation->images);
    turn->sounds = g_steal_pointer (&conversation->sounds);
  }
  g_ptr_array_add (conversation->turns, turn);
}

/* What was shown with the last turn goes with the next one. */
static void
take_back_turn (Conversation *conversation)
{
  Turn *turn = g_ptr_array_index (conversation->turns, conversation->turns->len - 1);

  conversation->files = g_steal_pointer (&turn->files);
  conversation->images = g_steal_pointer (&turn->images);
  conversation->sounds = g_steal_pointer (&turn->sounds);
  g_ptr_array_remove_index (conversation->turns, conversation->turns->len - 1);
}

static void
drop_files (Conversation *conversation)
{
  g_clear_pointer (&conversation->files, g_free);
  g_clear_pointer (&conversation->images, g_ptr_array_unref);
  g_clear_pointer (&conversation->sounds, g_ptr_array_unref);
}

Conversation *
conversation_new (FacetModel *model, const ConversationParams *params, GError **error)
{
  FacetSessionParams session_params = { .context = params->context, .kv_type = params->kv_type, .cancel = params->cancel,
                                        .progress = report_progress };
  FacetSession *session = facet_session_new (model, &session_params, error);
  Conversation *conversation;

  report_progress_end ();
  if (session == NULL)
    return NULL;
  conversation = g_new0 (Conversation, 1);
  conversation->params = *params;
  conversation->session = session;
  conversation->turns = g_ptr_array_new_with_free_func (turn_free);
  conversation->steps = g_ptr_array_new_with_free_func (step_free);
  return conversation;
}

Conversation *
conversation_open (const Options *options, FacetModel *model, ConversationParams *params)
{
  g_autoptr (GError) error = NULL;
  Conversation *conversation;

  params->kv_type = options->kv_type;
  params->context = options->context;
  params->pan_and_scan = options->pan_and_scan;
  params->sampling = options_sampling (options, model);
  conversation = conversation_new (model, params, &error);
  if (conversation == NULL)
    report_error (error);
  return conversation;
}

void
conversation_free (Conversation *conversation)
{
  facet_session_free (conversation->session);
  g_ptr_array_unref (conversation->turns);
  g_ptr_array_unref (conversation->steps);
  drop_files (conversation);
  g_free (conversation);
}

/* Text and, where they were made, calls and their results. */
static void
add_answer (FacetPrompt *prompt, const char *text, const GPtrArray *steps)
{
  gsize at = 0;

  for (guint i = 0, first = 0; i < steps->len; i++) {
    const ConversationStep *step = g_ptr_array_index (steps, i);
    gboolean last = i + 1 == steps->len || ((const ConversationStep *) g_ptr_array_index (steps, i + 1))->round != step->round;
    gboolean added;

    facet_prompt_add_text (prompt, text + at, step->offset - at);
    at = step->offset;
    added = facet_prompt_add_call (prompt, step->name, step->arguments, NULL);
    g_assert (added);
    for (; last && first <= i; first++) {
      const ConversationStep *done = g_ptr_array_index (steps, first);

      facet_prompt_add_result (prompt, done->name, done->result, -1);
    }
  }
  facet_prompt_add_text (prompt, text + at, -1);
}

/* @text: of the answer so far; NULL: nothing of it is there. */
static FacetPrompt *
make_prompt (const Conversation *conversation, const char *text, guint round)
{
  const ConversationParams *params = &conversation->params;
  FacetPrompt *prompt = facet_prompt_new (params->how);

  if (params->tools != NULL && round + 1 < FACET_TOOLBOX_MAX_ROUNDS)
    facet_prompt_set_tools (prompt, params->tools, round == 0 ? params->tool_choice : FACET_TOOLS_OFFERED, params->call_form);
  facet_prompt_set_thinking (prompt, params->thinking);
  facet_prompt_set_pan_and_scan (prompt, params->pan_and_scan);
  if (params->system != NULL) {
    facet_prompt_begin_turn (prompt, FACET_ROLE_SYSTEM);
    facet_prompt_add_text (prompt, params->system, -1);
  }
  for (guint i = 0; i < conversation->turns->len; i++) {
    const Turn *turn = g_ptr_array_index (conversation->turns, i);

    facet_prompt_begin_turn (prompt, turn->role);
    if (turn->files != NULL)
      facet_prompt_add_text (prompt, turn->files, -1);
    if (turn->role == FACET_ROLE_MODEL)
      add_answer (prompt, turn->text, turn->steps);
    else
      media_add_text (prompt, turn->text, turn->images, turn->sounds);
  }
  if (round > 0) {
    facet_prompt_begin_turn (prompt, FACET_ROLE_MODEL);
    add_answer (prompt, text, conversation->steps);
  }
  return prompt;
}

void
conversation_show (Conversation *conversation, GPtrArray *images, GPtrArray *sounds)
{
  g_clear_pointer (&conversation->images, g_ptr_array_unref);
  g_clear_pointer (&conversation->sounds, g_ptr_array_unref);
  conversation->images = g_ptr_array_ref (images);
  conversation->sounds = g_ptr_array_ref (sounds);
}

void
conversation_attach (Conversation *conversation, const char *files)
{
  g_free (conversation->files);
  conversation->files = g_strdup (files);
}

static void
append_text (char **text, const char *more)
{
  g_autofree char *before = *text;

  *text = g_strconcat (before, more, NULL);
}

/* Takes what @part has to the whole of the answer. */
static void
merge (FacetReply *whole, FacetReply *part)
{
  if (whole->text == NULL) {
    *whole = *part;
    memset (part, 0, sizeof *part);
    return;
  }
  append_text (&whole->text, part->text);
  append_text (&whole->thoughts, part->thoughts);
  g_array_append_vals (whole->ids, part->ids->data, part->ids->len);
  g_ptr_array_extend_and_steal (whole->calls, g_steal_pointer (&part->calls));
  whole->stop_reason = part->stop_reason;
  whole->stats.prompt_tokens = part->stats.prompt_tokens;
  whole->stats.cached_tokens = part->stats.cached_tokens;
  whole->stats.prefill_seconds = part->stats.prefill_seconds;
  whole->stats.generated_tokens += part->stats.generated_tokens;
  whole->stats.decode_seconds += part->stats.decode_seconds;
}

static void
run_calls (Conversation *conversation, const FacetReply *reply, guint from, guint round)
{
  const ConversationParams *params = &conversation->params;

  for (guint i = from; i < reply->calls->len; i++) {
    const FacetCall *call = g_ptr_array_index (reply->calls, i);
    ConversationStep *step = g_new (ConversationStep, 1);

    *step = (ConversationStep){ g_strdup (call->name), g_strdup (call->arguments), NULL, strlen (reply->text), round };
    step->result = params->on_call (call, params->call_data);
    g_ptr_array_add (conversation->steps, step);
  }
}

/* One answer, with calls and results on the way. */
static gboolean
answer (Conversation *conversation, const FacetReplyParams *params, FacetReply *reply, GError **error)
{
  guint made = 0;

  g_ptr_array_unref (conversation->steps);
  conversation->steps = g_ptr_array_new_with_free_func (step_free);
  for (guint round = 0; round < FACET_TOOLBOX_MAX_ROUNDS; round++) {
    g_autoptr (FacetPrompt) prompt = make_prompt (conversation, reply->text, round);
    g_auto (FacetReply) part = { .text = NULL };
    gboolean answered = facet_session_reply (conversation->session, prompt, params, &part, error);

    report_progress_end ();
    if (!answered)
      return FALSE;
    merge (reply, &part);
    if (reply->calls->len == made || reply->stop_reason == FACET_STOP_CANCELLED)
      break;
    run_calls (conversation, reply, made, round);
    made = reply->calls->len;
  }
  return TRUE;
}

gboolean
conversation_ask (Conversation *conversation, const char *text, FacetReply *reply, GError **error)
{
  const ConversationParams *params = &conversation->params;
  FacetReplyParams reply_params = {
    .sampling = params->sampling,
    .max_tokens = params->max_tokens,
    .stop_strings = params->stop_strings,
    .on_text = params->on_text,
    .on_thought = params->on_thought,
    .on_progress = report_progress,
    .user_data = params->user_data,
    .cancel = params->cancel,
  };
  gboolean answered;

  memset (reply, 0, sizeof *reply);
  add_turn (conversation, FACET_ROLE_USER, text);
  answered = answer (conversation, &reply_params, reply, error);
  if (!answered)
    facet_reply_clear (reply);
  if (answered && reply->text[0] != '\0') {
    add_turn (conversation, FACET_ROLE_MODEL, reply->text);
    ((Turn *) g_ptr_array_index (conversation->turns, conversation->turns->len - 1))->steps = g_ptr_array_ref (conversation->steps);
  } else {
    take_back_turn (conversation);
  }
  return answered;
}

GPtrArray *
conversation_steps (Conversation *conversation)
{
  return conversation->steps;
}

void
conversation_clear (Conversation *conversation)
{
  g_ptr_array_set_size (conversation->turns, 0);
  drop_files (conversation);
}

static gboolean
holds_any (GPtrArray *media)
{
  return media != NULL && media->len > 0;
}

gboolean
conversation_has_files (Conversation *conversation)
{
  return (conversation->files != NULL && conversation->files[0] != '\0') || holds_any (conversation->images) || holds_any (conversation->sounds);
}

int
conversation_context (Conversation *conversation)
{
  return facet_session_context (conversation->session);
}
