# Works through the steps of ../libraries_test.go with Sidekiq, whose script comes with its package and runs as it is.
require 'sidekiq'
require 'sidekiq/api'
require 'sidekiq/manager'
require 'sidekiq/scheduled'

Sidekiq.logger.level = Logger::FATAL
Sidekiq.redis = {
  host: ENV['LETHE_HOST'], port: Integer(ENV['LETHE_PORT']), username: ENV['LETHE_USER'], password: ENV['LETHE_TOKEN'],
  ssl: true, ssl_params: { ca_file: ENV['LETHE_CA'], min_version: OpenSSL::SSL::TLS1_3_VERSION }
}

def step(name) = puts("ok #{name}")

def same(got, want)
  abort("got #{got.inspect}, want #{want.inspect}") unless got == want
end

DONE = Queue.new # what jobs say, across threads

class Submit
  include Sidekiq::Worker
  sidekiq_options queue: 'claims', retry: 3

  def perform(name, fail_first = false)
    DONE << name
    raise 'the payer is busy' if fail_first && self.class.fails.pop
  end

  def self.fails = (@fails ||= [true])
end

same(Sidekiq.redis { |c| c.ping }, 'PONG')
same(Sidekiq.redis_info.key?('redis_version'), true)
step('connect')

Submit.perform_async('first')
Sidekiq::Client.push_bulk('class' => Submit, 'args' => [['second'], ['third']])
claims = Sidekiq::Queue.new('claims')
same([claims.size, claims.map { |job| job.args[0] }.sort, Sidekiq::Queue.all.map(&:name)], [3, %w[first second third], ['claims']])
step('push')

options = Sidekiq.options.merge(queues: ['claims'], concurrency: 2)
options[:fetch] = fetch = Sidekiq::BasicFetch.new(options)
manager = Sidekiq::Manager.new(options)
manager.start # each of its threads waits in BRPOP
same(Array.new(3) { DONE.pop }.sort, %w[first second third])
Submit.perform_async('while they wait')
same(DONE.pop, 'while they wait')
step('fetch')

Submit.perform_in(3600, 'much later')
Submit.perform_in(0.2, 'soon')
scheduled = Sidekiq::ScheduledSet.new
same(scheduled.size, 2)
poller = Sidekiq::Scheduled::Enq.new
poller.enqueue_jobs until scheduled.size == 1
same(DONE.pop, 'soon')
same(scheduled.map { |job| job.args[0] }, ['much later'])
step('schedule')

Submit.perform_async('again', true)
same(DONE.pop, 'again')
retries = Sidekiq::RetrySet.new
Thread.pass until retries.size == 1
same(retries.first['error_message'], 'the payer is busy')
retries.retry_all
same(DONE.pop, 'again')
step('retry')

manager.stop(Process.clock_gettime(Process::CLOCK_MONOTONIC) + 5)
Submit.perform_async('given back')
work = fetch.retrieve_work
same([work.queue_name, claims.size], ['claims', 0])
work.requeue
fetch.bulk_requeue([fetch.retrieve_work], options)
same([claims.size, claims.first.args], [1, ['given back']])
step('requeue')

# What fetchers do that lose no job when a process dies: one list for each process, and the job is in it until it is done.
Sidekiq.redis do |c|
  job = c.rpoplpush('queue:claims', 'queue:claims:working:1')
  same([c.lrange('queue:claims:working:1', 0, -1), claims.size], [[job], 0])
  same(c.rpoplpush('queue:claims:working:1', 'queue:claims'), job) # its process has died
  same(c.brpoplpush('queue:claims', 'queue:claims:working:2', timeout: 1), job)
  same(c.lrem('queue:claims:working:2', 1, job), 1)
  same(c.exists?('queue:claims:working:2'), false)
end
step('reliable fetch')
