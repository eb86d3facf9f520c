#define G_LOG_DOMAIN "facet"

#include "facet-message.h"

#include <string.h>

struct _FacetMessage {
  GObject parent_instance;

  FacetStoreMessage *record; /* its text is kept in text below */
  GString           *text;
  GString           *thoughts; /* likewise */
  GPtrArray         *calls;    /* FacetCallRecord, likewise */
  char              *phase;
  char              *revision;
};

enum {
  PROP_TEXT = 1,
  PROP_THOUGHTS,
  PROP_CALLS,
  PROP_PHASE,
  PROP_STATUS,
  PROP_SIBLINGS,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

G_DEFINE_FINAL_TYPE (FacetMessage, facet_message, G_TYPE_OBJECT)

static void
facet_message_finalize (GObject *object)
{
  FacetMessage *self = FACET_MESSAGE (object);

  facet_store_message_free (self->record);
  g_string_free (self->text, TRUE);
  g_string_free (self->thoughts, TRUE);
  g_ptr_array_unref (self->calls);
  g_free (self->phase);
  g_free (self->revision);
  G_OBJECT_CLASS (facet_message_parent_class)->finalize (object);
}

static void
facet_message_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  FacetMessage *self = FACET_MESSAGE (object);

  switch (id) {
  case PROP_TEXT:
    g_value_set_string (value, self->text->str);
    break;
  case PROP_THOUGHTS:
    g_value_set_string (value, self->thoughts->str);
    break;
  case PROP_CALLS:
    g_value_set_pointer (value, self->calls);
    break;
  case PROP_PHASE:
    g_value_set_string (value, self->phase);
    break;
  case PROP_STATUS:
    g_value_set_int (value, self->record->status);
    break;
  case PROP_SIBLINGS:
    g_value_set_uint (value, self->record->sibling_count);
    break;
  default:
    G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
facet_message_class_init (FacetMessageClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;

  object_class->finalize = facet_message_finalize;
  object_class->get_property = facet_message_get_property;

  props[PROP_TEXT] = g_param_spec_string ("text", NULL, NULL, NULL, flags);
  props[PROP_THOUGHTS] = g_param_spec_string ("thoughts", NULL, NULL, NULL, flags);
  props[PROP_CALLS] = g_param_spec_pointer ("calls", NULL, NULL, flags);
  props[PROP_PHASE] = g_param_spec_string ("phase", NULL, NULL, NULL, flags);
  props[PROP_STATUS] = g_param_spec_int ("status", NULL, NULL, 0, FACET_MESSAGE_FAILED, 0, flags);
  props[PROP_SIBLINGS] = g_param_spec_uint ("siblings", NULL, NULL, 0, G_MAXUINT, 0, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
facet_message_init (FacetMessage *self)
{
  self->text = g_string_new (NULL);
  self->thoughts = g_string_new (NULL);
}

FacetMessage *
facet_message_new (FacetStoreMessage *record)
{
  FacetMessage *self = g_object_new (FACET_TYPE_MESSAGE, NULL);

  self->record = record;
  g_string_assign (self->text, record->text);
  g_string_assign (self->thoughts, record->thinking);
  self->calls = facet_call_records_parse (record->calls, record->text);
  if (*record->revision != '\0')
    self->revision = g_strdup (record->revision);
  return self;
}

const FacetStoreMessage *
facet_message_get_record (FacetMessage *self)
{
  return self->record;
}

gint64
facet_message_get_id (FacetMessage *self)
{
  return self->record->id;
}

const char *
facet_message_get_text (FacetMessage *self)
{
  return self->text->str;
}

const char *
facet_message_get_thoughts (FacetMessage *self)
{
  return self->thoughts->str;
}

const GPtrArray *
facet_message_get_calls (FacetMessage *self)
{
  return self->calls;
}

gboolean
facet_message_is_answer (FacetMessage *self)
{
  return self->record->role == FACET_STORE_ROLE_MODEL;
}

void
facet_message_set_revision (FacetMessage *self, const char *text)
{
  g_free (self->revision);
  self->revision = g_strdup (text);
}

const char *
facet_message_get_revision (FacetMessage *self)
{
  return self->revision;
}

gboolean
facet_message_save_revision (FacetMessage *self, FacetStore *store, GError **error)
{
  gboolean differs = self->revision != NULL && !g_str_equal (self->revision, self->text->str);
  const char *revision = differs ? self->revision : "";

  if (g_str_equal (self->record->revision, revision))
    return TRUE;
  if (!facet_store_set_revision (store, self->record->id, revision, error))
    return FALSE;
  g_free (self->record->revision);
  self->record->revision = g_strdup (revision);
  return TRUE;
}

FacetMessageStatus
facet_message_get_status (FacetMessage *self)
{
  return self->record->status;
}

void
facet_message_update (FacetMessage *self, FacetStoreMessage *record)
{
  g_autoptr (FacetStoreMessage) old = self->record;
  gboolean running = old->status == FACET_MESSAGE_RUNNING && record->status == FACET_MESSAGE_RUNNING;

  g_return_if_fail (record->id == old->id);

  self->record = record;
  /* what runs is ahead of the store, which is saved twice a second */
  if (!running && strcmp (self->text->str, record->text) != 0) {
    g_string_assign (self->text, record->text);
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_TEXT]);
  }
  if (!running && strcmp (self->thoughts->str, record->thinking) != 0) {
    g_string_assign (self->thoughts, record->thinking);
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_THOUGHTS]);
  }
  if (!running && strcmp (old->calls, record->calls) != 0) {
    g_ptr_array_unref (self->calls);
    self->calls = facet_call_records_parse (record->calls, record->text);
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CALLS]);
  }
  if (old->status != record->status)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATUS]);
  if (old->sibling_count != record->sibling_count || old->sibling_index != record->sibling_index)
    g_object_notify_by_pspec (G_OBJECT (self), props[PROP_SIBLINGS]);
}

void
facet_message_append (FacetMessage *self, const char *text, gsize length)
{
  g_string_append_len (self->text, text, length);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_TEXT]);
}

void
facet_message_append_thought (FacetMessage *self, const char *text, gsize length)
{
  g_string_append_len (self->thoughts, text, length);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_THOUGHTS]);
}

void
facet_message_add_call (FacetMessage *self, FacetCallRecord *call)
{
  g_ptr_array_add (self->calls, call);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CALLS]);
}

static void
set_string (char **field, const char *value)
{
  g_free (*field);
  *field = g_strdup (value != NULL ? value : "");
}

void
facet_message_set_phase (FacetMessage *self, const char *phase)
{
  set_string (&self->phase, phase);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_PHASE]);
}

void
facet_message_settle_call (FacetMessage *self, guint index, FacetCallState state, const char *result)
{
  FacetCallRecord *call = g_ptr_array_index (self->calls, index);

  call->state = state;
  set_string (&call->result, result);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CALLS]);
}

void
facet_message_finish (FacetMessage *self, FacetMessageStatus status, const char *stats, const char *failure)
{
  g_free (self->record->calls);
  self->record->calls = facet_call_records_write (self->calls);
  set_string (&self->record->stats, stats);
  set_string (&self->record->failure, failure);
  self->record->status = status;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATUS]);
}

void
facet_message_resume (FacetMessage *self)
{
  facet_message_finish (self, FACET_MESSAGE_RUNNING, NULL, NULL);
}
